"""A simulated registry: the documented API over real sockets, for `demo` and the tests."""
