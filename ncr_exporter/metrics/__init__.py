"""What `/metrics` publishes: the table of families, and how states become text."""
