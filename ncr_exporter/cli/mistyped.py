"""Mistyped commands, flags and variables: what was most likely meant."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

PREFIX = "NCR_EXPORTER_"
"""Of every variable of the program; keys have the names of the vendor's SDKs."""
_OF_A_SERVICE = re.compile(
    r"\w+?(?:_SERVICE_HOST|_SERVICE_PORT(?:_\w+)?|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)"
)
"""What Kubernetes sets for a Service named ncr-exporter: the host and ports of it."""
_SECRET = re.compile(r"secret|key|password|token|credential", re.IGNORECASE)
_WORDS = {"help": "--help", "version": "--version"}
"""Commands of other programs that are flags here."""
_CONFIG = (".yml", ".yaml")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'X'?` for the most similar known word, or an empty text."""
    from ncr_exporter.config import suggestions  # noqa: PLC0415 -- `health` needs no configuration

    return suggestions.did_you_mean(word, known)


def unknown_command(name: str, commands: Sequence[str]) -> str:
    """Return the message on a command that is none."""
    if name in _WORDS:
        return f"unknown command {name!r}; write {_WORDS[name]}"
    if name.endswith(_CONFIG):
        return f"unknown command {name!r}; name a configuration with --config.file={name}"
    similar = did_you_mean(name, commands).lstrip("; ")
    listed = f"the commands are {', '.join(commands)}"
    return f"unknown command {name!r}; {f'{similar} {listed.capitalize()}' if similar else listed}"


def unknown_arguments(
    arguments: Sequence[str], flags: Sequence[str], elsewhere: Mapping[str, str]
) -> str:
    """Return the message on arguments that a command does not take.

    Args:
        arguments: what was not understood.
        flags: the flags of the command.
        elsewhere: each command, with itself, and each flag of another command, with that command.
    """
    shown = " ".join(map(_without_secret, arguments))
    return f"unrecognized arguments: {shown}{_hint(arguments[0], flags, elsewhere)}"


def _without_secret(argument: str) -> str:
    """Return an argument without its value if its name sounds like a secret's."""
    name, equals, _ = argument.partition("=")
    return f"{name}=…" if equals and _SECRET.search(name) else argument


def _hint(argument: str, flags: Sequence[str], elsewhere: Mapping[str, str]) -> str:
    name = argument.partition("=")[0]
    if name in elsewhere:
        if elsewhere[name] == name:
            return f"; the command comes first: ncr-exporter {name} …"
        return f"; {name} is a flag of `ncr-exporter {elsewhere[name]}`"
    if not name.startswith("-"):
        is_config = name.endswith(_CONFIG)
        return f"; name a configuration with --config.file={name}" if is_config else ""
    if _SECRET.search(name):
        return "; keys are taken from the configuration or the environment"
    return did_you_mean(name, flags)


def unknown_variables(environ: Iterable[str], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each variable that looks like one of the program's and is none, with what was meant.

    Args:
        environ: the names of the variables that are set.
        known: the names of those that the program reads.
    """
    names = tuple(known)
    for name in environ:
        if name.startswith(PREFIX) and name not in names and not _OF_A_SERVICE.fullmatch(name):
            yield name, did_you_mean(name, names).lstrip("; ")
