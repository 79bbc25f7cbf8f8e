"""A simulated registry that gives the answers of a recording (`check --online --record=DIR`)."""

from collections.abc import Mapping

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.recording.reading import Answer, Recording
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.simulator.answers import gateway_error
from ncr_exporter.simulator.data import FixedSource
from ncr_exporter.simulator.faults import Fault
from ncr_exporter.simulator.registry import SimulatedRegistry

_ANEW = {"date", "content-length", "content-encoding", "transfer-encoding", "connection"}
"""Headers that belong to the moment of sending: with the recorded date, clocks would differ."""


class ReplayedRegistry(SimulatedRegistry):
    """Asks for signatures as ever, then answers what was recorded, in order; the last one stays."""

    def __init__(self, recording: Recording, *, keys: Mapping[str, str], clock: Clock) -> None:
        super().__init__(FixedSource("", {}), keys=keys, clock=clock)
        self._left = {target: list(answers) for target, answers in recording.answers.items()}

    def _answer(self, request: Request, fault: Fault) -> Response:
        refusal = self._refusal(request, self._gateway_time(fault))
        if refusal is not None:
            return refusal
        answers = self._left.get(request.target)
        if not answers:
            return gateway_error(404, "300", "Not Found Exception", "Not in the recording.")
        return _response(answers[0] if len(answers) == 1 else answers.pop(0))


def _response(answer: Answer) -> Response:
    headers = {name: value for name, value in answer.headers.items() if name not in _ANEW}
    return Response(answer.status, headers, (answer.body,), len(answer.body))
