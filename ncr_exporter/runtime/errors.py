"""Errors that end a command with a message for its user instead of a traceback."""

from typing import ClassVar


class UserError(Exception):
    """`str()` says what is wrong and what to do, in one or more lines."""

    exit_code: ClassVar[int] = 2
    """Of the process: 2 for wrong usage or configuration, 1 for any other failure."""
