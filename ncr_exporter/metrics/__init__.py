"""What is published: the catalogue of families, and how they become text."""
