"""The endurance run: an hour of bad days in a few minutes, watched from outside (`make soak`)."""
