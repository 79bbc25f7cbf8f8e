"""A small HTTP/1.1 server with limits on time, memory and connections; it knows no metrics."""
