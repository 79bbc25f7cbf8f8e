"""The command line: flags and their environment twins, and one module per command."""
