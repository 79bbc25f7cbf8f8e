"""What any program needs: clock, logs, signals, files written whole, work in steps."""
