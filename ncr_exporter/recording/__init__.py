"""Recordings: redacted responses of the API in a directory, for bug reports and tests.

Numbers, times, sizes, platforms and the structure of the JSON are kept. Names, digests, accounts,
hosts and free texts are replaced by pseudonyms; equal values have equal pseudonyms.
"""

FORMAT = 1
"""Version of the directory's layout."""
FINDINGS = "findings.txt"
"""Name of the file that holds what was learned from the responses."""
META = "recording.json"
"""Name of the file that describes the recording."""
