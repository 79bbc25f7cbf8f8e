"""`--web.config.file`: TLS, passwords, headers and a rate limit, in exporter-toolkit's format."""
