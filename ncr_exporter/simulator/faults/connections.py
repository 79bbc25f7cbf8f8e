"""Faults below HTTP, and answers that take their time or never end."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.faults import sockets
from ncr_exporter.simulator.faults.fault import Apply, Fault, instead


def latency(seconds: float = 2.0) -> Fault:
    """Return the fault that holds every answer back."""
    return Fault("latency", f"answers only after {seconds:g} s", seconds=seconds)


def _taken_over(write: Callable[..., Awaitable[None]]) -> Apply:
    return instead(Response(takeover=write))


def _half(_request: Request, answer: Response) -> Response:
    return replace(answer, takeover=partial(sockets.half, answer=answer))


def _drip(_request: Request, answer: Response) -> Response:
    return replace(answer, takeover=partial(sockets.drip, answer=answer))


CONNECTIONS = (
    latency(),
    Fault("hang", "never answers, until the client leaves", _taken_over(sockets.hang)),
    Fault("drip", "sends the right answer, one byte of its body per second", _drip),
    Fault("reset", "breaks the TCP connection (RST) without an answer", _taken_over(sockets.reset)),
    Fault("close", "closes the connection without an answer", _taken_over(sockets.close)),
    Fault("garbage", "answers bytes that are no HTTP", _taken_over(sockets.garbage)),
    Fault("half", "sends half of the body that its headers promise, then closes", _half),
    Fault("endless", "200 with a body of 1 GB", _taken_over(sockets.endless)),
)
