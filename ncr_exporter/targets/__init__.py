"""From the configuration to what is polled: targets, shards, and the requests they need."""
