"""The registry's API. Nothing outside this package knows its HTTP, JSON or signatures."""
