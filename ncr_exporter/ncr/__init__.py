"""The API of Container Registry; no other room knows its HTTP, JSON or signatures."""
