"""A small HTTP/1.1 server with limits on everything a client may cost. It knows no metrics."""
