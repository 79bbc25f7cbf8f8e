"""A string that cannot be shown by accident."""

from typing import NoReturn


class Secret:
    """Holds a key; only `reveal()` gives it out, so every place that does can be found.

    `repr`, `str`, f-strings and `%s` show `<secret>`; pickling and copying into a dump are refused.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")
