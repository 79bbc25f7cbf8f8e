"""The exporter's HTTP routes, and the status page for people."""
