"""A simulated registry: serves the documented API over real sockets, for `demo` and tests."""
