"""Reports on images and stale tags: rows, and their output as table, JSON or CSV."""
