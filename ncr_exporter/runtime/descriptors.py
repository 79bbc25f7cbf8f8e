"""How many files and sockets this process may have open at a time."""

import resource

WANTED_DESCRIPTORS = 4096
"""Enough for all connections that a server accepts, and for those of the API client."""


def raise_descriptor_limit(wanted: int = WANTED_DESCRIPTORS) -> int:
    """Raise the soft limit of open descriptors to `wanted`, and return the limit in force.

    The usual soft limit of 1024 is that of programs which call select(2). The hard limit is what an
    administrator means. Where that is lower, it is the limit; a higher soft limit stays.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(soft, most)
