"""Texts in several languages, and messages that can be said in another language later. Pure."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Self

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = ("en", "ko")
"""The languages of the catalogue, the default first."""


class Text(NamedTuple):
    """One entry of the catalogue, with the same placeholders in each language."""

    en: str
    ko: str
    one: str = ""
    """The English form where the value `n` is 1; empty if it is no other."""

    def pattern(self, language: Language, n: object = None) -> str:
        """Return the text of a language, with its placeholders; `n` chooses the singular."""
        if language == "ko":
            return self.ko
        return self.one if self.one and n == 1 else self.en

    def said(self, language: Language, /, **values: object) -> str:
        """Return the text in a language, with values in its placeholders.

        A value that is a message itself is said in the same language.
        """
        for name, value in values.items():
            if isinstance(value, Message):
                values[name] = translated(value, language)
        return self.pattern(language, values.get("n")).format(**values)

    def __call__(self, /, **values: object) -> "Message":
        """Return the text with its values as a message in English."""
        return Message(self, values)


class Message(str):
    """A text in English that can still be said in another language.

    Logs, reports and commands use it as the text that it is. `translated` gives the page its own
    language.
    """

    __slots__ = ("text", "values")
    text: Text
    values: Mapping[str, object]

    def __new__(cls, text: Text, values: Mapping[str, object]) -> Self:
        """Make the message of a text with these values."""
        message = super().__new__(cls, text.said("en", **values))
        message.text, message.values = text, values
        return message


def translated(message: str, language: Language) -> str:
    """Return a message in a language; a text that is none, such as an API's, as it is."""
    if isinstance(message, Message):
        return message.text.said(language, **message.values)
    return message


def is_in(message: str, language: Language) -> bool:
    """Return whether `translated` says a message in this language: what is not ours is English."""
    return language == "en" or isinstance(message, Message)
