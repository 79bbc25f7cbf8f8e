"""What ends a command with words for its user instead of a traceback."""

from typing import ClassVar


class UserError(Exception):
    """`str()` says what is wrong and what to do, in one or more lines."""

    exit_code: ClassVar[int] = 2
    """2 is wrong usage or configuration, 1 whatever else failed."""
