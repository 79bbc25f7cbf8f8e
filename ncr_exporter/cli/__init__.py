"""The command line: flags with their environment variables, and one module per command."""
