"""The whole program, as users run it."""
