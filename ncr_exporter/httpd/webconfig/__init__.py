"""`--web.config.file`: TLS, passwords, headers and rates, in the format of exporter-toolkit."""
