"""The states of registries and images: in memory, and saved in a file over a restart."""
