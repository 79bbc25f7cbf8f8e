"""What a configuration asks to be polled, this shard's part of it, and the requests it takes."""
