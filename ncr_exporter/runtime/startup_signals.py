"""Signals before an event loop handles them, and after: from the program's first act to its last.

Python leaves SIGHUP and SIGTERM to the system: they end a process at once, except PID 1 of a
container, which never gets them. Imports alone take a quarter of a second. So this module must be
imported first, and import next to nothing itself.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_Handler = Callable[[int, FrameType | None], object]


class _Startup:
    """What is known of signals since `note_signals`."""

    def __init__(self) -> None:
        self.noted: list[int] = []
        self.is_noting = False
        self.ignores_hangup = False


_startup = _Startup()


def note_signals() -> None:
    """Note SIGTERM, SIGINT and SIGHUP, until another function says what to do on them.

    They are unblocked. A parent may block them (`env --block-signal=HUP,TERM`), so that none is
    lost between the start of the interpreter and this call.
    """
    _startup.is_noting = True
    _startup.ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    for number in _SIGNALS:
        signal.signal(number, _note)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def stop_service_on_signals() -> None:
    """End the process with code 0 on SIGTERM or SIGINT, noted or to come. SIGHUP stays noted.

    Like all functions here but `note_signals`, it does nothing where signals are not noted.
    """
    _act(_stop_service, signal.SIGTERM, signal.SIGINT)


def end_command_on_signals() -> None:
    """End the process with code 128 + n on SIGTERM, SIGINT or SIGHUP, noted or to come.

    SIGHUP is ignored where it was when the process started, as under nohup.
    """
    if not _startup.is_noting:
        return
    if _startup.ignores_hangup:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _startup.noted = [number for number in _startup.noted if number != signal.SIGHUP]
    else:
        _act(_end_command, signal.SIGHUP)
    _act(_end_command, signal.SIGTERM, signal.SIGINT)


def hangup_was_noted() -> bool:
    """Return whether SIGHUP came since `note_signals`."""
    return signal.SIGHUP in _startup.noted


def exit_on_signals(code: int) -> None:
    """End the process with `code` on each signal: its work is done, and the interpreter ends."""
    _act(lambda *_: os._exit(code), *_SIGNALS)


def _act(handler: _Handler, *numbers: int) -> None:
    """Handle signals by `handler`, and call it for one that was noted."""
    if not _startup.is_noting:
        return
    for number in numbers:
        signal.signal(number, handler)
    for number in _startup.noted:
        if number in numbers:
            handler(number, None)


def _note(number: int, _: FrameType | None) -> None:
    _startup.noted.append(number)


def _stop_service(_: int, __: FrameType | None) -> None:
    _say(b"ncr-exporter: stopped before it served\n")
    os._exit(0)


def _end_command(number: int, _: FrameType | None) -> None:
    _say(b"ncr-exporter: interrupted\n")
    os._exit(128 + number)


def _say(line: bytes) -> None:
    """Write a line to stderr, where that can be: sys.stderr may be in the middle of another."""
    try:  # noqa: SIM105 -- contextlib takes longer to import than all of this module
        os.write(2, line)
    except OSError:
        pass
