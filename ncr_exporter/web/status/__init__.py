"""The status page at `/`, for people. Pure but for `page`, which reads templates and styles."""
