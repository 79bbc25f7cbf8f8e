"""`/report.csv`: the images as a table for spreadsheets."""

from collections.abc import Collection
from http import HTTPStatus

from ncr_exporter.report.files import images_as_csv
from ncr_exporter.report.rows import Report
from ncr_exporter.states import ImageState
from ncr_exporter.web.messages import Response

_HEADERS = {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": 'attachment; filename="ncr-report.csv"',
    "x-content-type-options": "nosniff",
}


def csv_response(states: Collection[ImageState], now: float) -> Response:
    """Return the images as of `now`, in seconds since the epoch."""
    body = "".join(images_as_csv(Report(states, now))).encode()
    return Response(HTTPStatus.OK, _HEADERS, (body,), len(body))
