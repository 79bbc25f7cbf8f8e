"""What is served over HTTP, and the small server that does it."""
