"""`check --online`: asks the API for everything once and reports what works and what does not.

It also reports findings on what the vendor's documentation of the API leaves open. The authors had
no account to try the API with, so these findings come from the first users.
"""
