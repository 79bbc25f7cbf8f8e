"""What survives a restart: the last good data, in one file, checked like an answer of the API."""
