"""What any program needs: clock, logs, signals, streams, atomic file writes, cooperative work."""
