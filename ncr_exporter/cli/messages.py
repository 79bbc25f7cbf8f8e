"""What a command says on stderr about a failure: one line each, wrapped for a terminal."""

import sys

_NAME = "ncr-exporter: "


def complain(message: str) -> None:
    """Write a message to stderr, each of its lines behind the program's name.

    On a terminal a long line is broken between words. Elsewhere it stays one line, so that a log
    has one line per problem.
    """
    for line in message.splitlines():
        sys.stderr.write("".join(f"{part}\n" for part in _fitted(line)))
    sys.stderr.flush()


def warn(message: str) -> None:
    """Write a warning to stderr; the command goes on."""
    complain(f"warning: {message}")


def note_at_a_terminal(message: str) -> None:
    """Write a message that only a person needs: to stderr if that is a terminal."""
    if sys.stderr.isatty():
        complain(message)


def _fitted(line: str) -> list[str]:
    if not sys.stderr.isatty():
        return [f"{_NAME}{line}"]
    from ncr_exporter.report.terminal import Terminal, prose  # noqa: PLC0415 -- `health` needs neither

    return list(prose(line, Terminal(sys.stderr).width, indent=_NAME, hanging="  "))
