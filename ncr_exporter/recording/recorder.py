"""Writes a recording, one file per response."""

import json
from pathlib import Path
from typing import Any

from ncr_exporter import __version__
from ncr_exporter.config import Config
from ncr_exporter.recording import FINDINGS, FORMAT, META
from ncr_exporter.recording.exchange import Exchange
from ncr_exporter.recording.redact import Redactor
from ncr_exporter.runtime.errors import UserError


class RecordError(UserError):
    """The recording cannot be written; `str()` says why."""


class Recorder:
    """Writes redacted exchanges to a directory. `add` is a sink of a `Tap`."""

    def __init__(self, directory: Path, config: Config, *, keep_names: bool) -> None:
        """Begin a recording in a directory that is new or empty.

        Raises:
            RecordError: the directory is not empty, or cannot be written.
        """
        self._directory = directory
        self._redacted = Redactor(keep_names=keep_names)
        self.responses = 0
        self._has_findings = False
        self._failure: RecordError | None = None
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if any(directory.iterdir()):
                raise RecordError(f"--record: {directory} is not empty; name a new directory")
        except OSError as error:
            raise RecordError(f"--record: {directory}: {error.strerror}") from None
        self._write(
            META,
            {
                "format": FORMAT,
                "exporter": __version__,
                "zone": config.api.zone,
                "version": config.api.version,
                "page_size": config.api.page_size,
                "names": "kept" if keep_names else "pseudonyms",
            },
        )

    def add(self, exchange: Exchange) -> None:
        """Write one exchange.

        An error is kept for `finish`: raised here, it would fail the poll that made the request.
        """
        if self._failure is None:
            try:
                self._write(f"{self.responses + 1:05d}.json", self._redacted(exchange))
                self.responses += 1
            except RecordError as error:
                self._failure = error

    def keep_findings(self, text: str) -> None:
        """Write what was learned from the responses, which holds counts and no names.

        Raises:
            RecordError: it cannot be written.
        """
        self._write_text(FINDINGS, text)
        self._has_findings = True

    def finish(self) -> str:
        """Return a sentence on what was recorded.

        Raises:
            RecordError: an exchange could not be written.
        """
        if self._failure is not None:
            raise self._failure
        responses = "response" if self.responses == 1 else "responses"
        findings = f", and the findings in {FINDINGS}" if self._has_findings else ""
        return f"{self._directory} holds {self.responses} redacted {responses}{findings}"

    def _write(self, name: str, content: dict[str, Any]) -> None:
        self._write_text(name, f"{json.dumps(content, indent=1)}\n")

    def _write_text(self, name: str, text: str) -> None:
        try:
            (self._directory / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise RecordError(f"--record: {self._directory / name}: {error.strerror}") from None
