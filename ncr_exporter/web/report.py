"""`/report.csv`: the images as a table for spreadsheets."""

from collections.abc import Collection, Iterator
from http import HTTPStatus
from itertools import islice

from ncr_exporter.httpd.messages import Response
from ncr_exporter.report.files import images_as_csv
from ncr_exporter.report.rows import Report
from ncr_exporter.state.model import ImageState

_LINES_PER_PIECE = 256
"""The event loop gets its turn between pieces."""
_HEADERS = {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": 'attachment; filename="ncr-report.csv"',
    "x-content-type-options": "nosniff",
}


def csv_response(states: Collection[ImageState], now: float) -> Response:
    """Return the images as of `now`, in seconds since the epoch."""
    return Response(HTTPStatus.OK, _HEADERS, _pieces(images_as_csv(Report(states, now))))


def _pieces(lines: Iterator[str]) -> Iterator[bytes]:
    while some := list(islice(lines, _LINES_PER_PIECE)):
        yield "".join(some).encode()
