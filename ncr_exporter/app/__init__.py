"""The only place that wires things together: one pipeline for `serve`, `once`, `check --online`."""
