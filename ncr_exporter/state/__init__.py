"""What is known of registries and images now, and what survives a restart of it."""
