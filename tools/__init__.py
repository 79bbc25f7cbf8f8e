"""What the Makefile runs beside the development tools."""
