"""What `check --online` asks the API, what it finds, and what it learns of the API's unknowns.

No answer of the live service has been seen by those who wrote this. The first run of a user settles
what the documentation leaves open.
"""
