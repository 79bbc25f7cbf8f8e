"""What the client tells of its work; the exporter's own metrics listen."""

from typing import Literal, Protocol

Operation = Literal["registry_list", "image_list", "tag_list"]


class Observer(Protocol):
    """Told of every attempt. All calls are cheap and must not raise."""

    def attempt(
        self, registry: str, operation: Operation, seconds: float | None, reason: str | None
    ) -> None:
        """One attempt ended after `seconds`; `reason` is None where it succeeded.

        `seconds` is None where nothing was sent: the gate is closed, or there is no key.
        """
        ...

    def retry(self, registry: str, operation: Operation) -> None:
        """Another attempt follows one that failed."""
        ...

    def malformed(self, registry: str, operation: Operation, records: int) -> None:
        """So many records or fields of an answer were left out."""
        ...

    def miscounted(self, registry: str, operation: Operation) -> None:
        """A listing's distinct names differ from its `count`, twice."""
        ...

    def clock_skew(self, registry: str, seconds: float) -> None:
        """The gateway's clock minus ours, by an answer's `Date`."""
        ...
