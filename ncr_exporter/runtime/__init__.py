"""What any program needs: clock, logs, signals, streams, files, cooperative work, memory."""
