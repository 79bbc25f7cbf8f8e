"""Answers of the API, kept in a directory without what is nobody's business; for issues and tests.

Numbers, times, sizes, platforms and the shape of everything are kept, oddities included. Names,
digests, accounts, hosts and free texts are replaced by stand-ins, the same one for the same value.
"""

FORMAT = 1
"""Of the directory: another number is another layout."""
META = "recording.json"
"""The file that says what the others are."""
