"""What any program needs: clock, logs, signals, atomic file writes, cooperative work, memory."""
