"""When each list is requested, and what its answer or failure changes in the store."""
