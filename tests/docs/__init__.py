"""The documents and the house, held against the code."""
