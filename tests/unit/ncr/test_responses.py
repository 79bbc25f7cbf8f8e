"""What an answer's status, headers and body mean."""

import json

import pytest

from ncr_exporter.metrics.families.exporter import REASONS
from ncr_exporter.ncr import errors
from ncr_exporter.ncr.errors import ApiError, NotFoundError, ThrottledError
from ncr_exporter.ncr.responses import date_of, error_of, gateway_time, refused_parameters

DATE = "Thu, 09 Oct 2025 08:53:20 GMT"


def gateway(code: object, message: str, details: str = "") -> bytes:
    return json.dumps(
        {"error": {"errorCode": code, "message": message, "details": details}}
    ).encode()


SERVICE_404 = json.dumps({"returnCode": "404", "returnMessage": "no such image"}).encode()


def v3(code: object, message: str = "", **more: object) -> bytes:
    return json.dumps({"error": {"errorCode": code, "message": message, **more}}).encode()


DOCUMENTED = [
    (400, gateway("100", "Bad Request Exception"), "other"),
    (401, gateway("200", "Authentication Failed"), "authentication"),
    (401, gateway("210", "Permission Denied"), "permission"),
    (401, gateway(210, "A subscription to the API is required."), "permission"),
    (401, b"", "authentication"),
    (403, b"", "permission"),
    (404, gateway("300", "Not Found Exception"), "not_found"),
    (409, b"{}", "other"),
    (413, gateway("430", "Request Entity Too Large"), "other"),
    (429, gateway("400", "Quota Exceeded"), "throttled"),
    (429, gateway("410", "Throttle Limited"), "throttled"),
    (429, gateway("420", "Rate Limited"), "throttled"),
    (500, gateway("900", "Unexpected Error"), "server"),
    (500, b"<html>oops</html>", "server"),
    (503, gateway("500", "Endpoint Error"), "server"),
    (504, gateway("510", "Endpoint Timeout"), "server"),
    (301, b"", "redirect"),
    (302, b"", "redirect"),
    (307, b"", "redirect"),
    (204, b"", "other"),
    (418, b"[]", "other"),
    (400, v3("InvalidParameter", "Invalid parameter"), "other"),
    (401, v3("Unauthorized"), "authentication"),
    (401, v3("PermissionDenied"), "permission"),
    (401, v3("SUBSCRIPTION_REQUIRED"), "permission"),
    (401, v3("210"), "permission"),
    (401, v3(210), "permission"),
    (401, v3(210.0), "permission"),
    (401, v3(" 210 "), "permission"),
    (401, v3(200), "authentication"),
    (401, v3([210]), "authentication"),
    (403, v3("Forbidden"), "permission"),
    (404, v3("NotFound"), "not_found"),
    (409, v3("ResourceNotReady"), "other"),
    (413, v3("PayloadTooLarge"), "other"),
    (415, v3("UnsupportedMediaType"), "other"),
    (424, v3("FailedDependency"), "other"),
    (429, v3("TooManyRequests"), "throttled"),
    (500, v3("InternalServerError"), "server"),
    (502, v3("BadGateway"), "server"),
    (503, v3("ServiceUnavailable"), "server"),
]


@pytest.mark.parametrize(("status", "body", "reason"), DOCUMENTED)
def test_every_documented_error_has_its_reason(status: int, body: bytes, reason: str) -> None:
    error = error_of(status, {}, body)
    assert error is not None
    assert error.reason == reason
    assert str(status) in str(error)


def test_a_200_is_no_error() -> None:
    assert error_of(200, {}, b"") is None


def test_the_gateways_words_are_kept_for_the_log() -> None:
    headers = {"x-ncp-apigw-response-origin": "APIGW", "x-ncp-trace-id": "abc123"}
    error = error_of(401, headers, gateway("210", "Permission Denied", "no policy"))
    assert error is not None
    assert str(error) == "HTTP 401/210 Permission Denied (no policy)"
    assert (error.details.origin, error.details.trace_id) == ("APIGW", "abc123")


def test_what_version_3_adds_to_an_error_is_kept_for_whoever_reads_it() -> None:
    headers = {"x-ncp-request-id": "r-1", "x-ncp-trace-id": "t-1"}
    fields = [{"field": "pageSize", "message": "at most 1000"}, {"field": "sort"}, {}, None, 7]
    body = v3("InvalidParameter", "Invalid parameter", detail="잘못된 값", fieldErrors=fields)
    error = error_of(400, headers, body)
    assert error is not None
    said = "HTTP 400/InvalidParameter Invalid parameter (잘못된 값; pageSize: at most 1000; sort)"
    assert str(error) == said
    assert error.details.fields == ("pageSize", "sort")
    assert (error.details.request_id, error.details.trace_id) == ("r-1", "t-1")


@pytest.mark.parametrize(
    "more",
    [
        {"detail": "Not found"},
        {"detail": None, "fieldErrors": None},
        {"fieldErrors": "pageSize"},
        {"fieldErrors": [{"field": "", "message": "x"}]},
        {"fieldErrors": {}},
    ],
)
def test_what_adds_nothing_is_left_out(more: dict[str, object]) -> None:
    error = error_of(404, {}, v3("NotFound", "Not found", **more))
    assert str(error) == "HTTP 404/NotFound Not found"


def test_many_refused_fields_make_no_endless_line() -> None:
    fields = [{"field": f"f{n}" * 200, "message": "m" * 9999} for n in range(1000)]
    error = error_of(400, {}, v3("InvalidParameter", "x", fieldErrors=fields))
    assert len(str(error)) < 400
    assert error is not None
    assert len(error.details.fields) == 5


OPTIONAL = frozenset({"pageSize", "sort"})


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (v3("InvalidParameter", fieldErrors=[{"field": "sort"}]), {"sort"}),
        (v3("InvalidParameter", fieldErrors=[{"field": "pageSize"}]), {"pageSize"}),
        (v3("InvalidParameter", fieldErrors=[{"field": "pageNo"}]), set()),
        (v3("InvalidParameter", "sort is unknown"), {"sort"}),
        (v3("InvalidParameter", detail="pageSize: 1000 is too large"), {"pageSize"}),
        (v3("InvalidParameter", "Invalid parameter"), {"pageSize", "sort"}),
        (v3("BadRequest", "sort"), set()),
        (gateway("100", "Bad Request Exception", "sort"), set()),
        (b"", set()),
    ],
)
def test_what_was_refused_is_known_by_fields_or_words(body: bytes, refused: set[str]) -> None:
    error = error_of(400, {}, body)
    assert error is not None
    assert refused_parameters(error, OPTIONAL) == refused
    assert refused_parameters(error, frozenset()) == frozenset(), "nothing is left to leave out"


@pytest.mark.parametrize(
    ("headers", "body", "from_service"),
    [
        ({}, v3("NotFound", "no such image"), True),
        ({"x-ncp-apigw-response-origin": "ENDPOINT"}, v3("NotFound"), True),
        ({"x-ncp-apigw-response-origin": "APIGW"}, v3("NotFound"), False),
        ({}, v3("300", "Not Found Exception"), False),
        ({}, v3(300), False),
        ({}, v3(None), False),
        ({"x-ncp-apigw-response-origin": "ENDPOINT"}, b"", True),
        ({"x-ncp-apigw-response-origin": "APIGW"}, gateway("300", "Not Found"), False),
        ({}, SERVICE_404, True),
        ({}, gateway("300", "Not Found"), False),
        ({}, b"not json", False),
    ],
)
def test_a_404_tells_whether_the_service_itself_said_so(
    headers: dict[str, str],
    body: bytes,
    from_service: bool,  # noqa: FBT001 -- a parametrised expectation
) -> None:
    error = error_of(404, headers, body)
    assert isinstance(error, NotFoundError)
    assert error.from_service is from_service


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("Thu, 09 Oct 2025 08:54:00 GMT", 40.0),
        ("Thu, 09 Oct 2025 08:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("", None),
        ("9" * 400, 999999999999.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_gateways_clock(
    value: str, seconds: float | None
) -> None:
    error = error_of(429, {"retry-after": value, "date": DATE}, b"")
    assert isinstance(error, ThrottledError)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("age", "now"),
    [
        (None, 1_760_000_000.0),
        ("0", 1_760_000_000.0),
        ("7200", None),
        ("1", None),
        ("7200, 7200", None),
        ("old", None),
    ],
)
def test_the_date_of_an_answer_from_a_cache_is_not_the_gateways_time(
    age: str | None, now: float | None
) -> None:
    headers = {"date": DATE} if age is None else {"date": DATE, "age": age}
    assert gateway_time(headers) == now


def test_a_retry_after_in_an_answer_from_a_cache_is_of_no_use_as_a_date_and_of_use_as_seconds() -> (
    None
):
    cached = {"date": DATE, "age": "30"}
    found = [
        error_of(429, {**cached, "retry-after": value}, b"")
        for value in ("Thu, 09 Oct 2025 08:54:00 GMT", "40")
    ]
    assert [error.retry_after for error in found if isinstance(error, ThrottledError)] == [None, 40]


def test_control_characters_of_a_peer_reach_no_log() -> None:
    error = error_of(500, {"x-ncp-trace-id": "a\x1b[2Jb"}, gateway("9", "line\nbreak" + "x" * 999))
    assert error is not None
    assert str(error).isprintable()
    assert error.details.trace_id.isprintable()
    assert len(str(error)) < 400


@pytest.mark.parametrize("value", ["", "yesterday", "Thu, 99 Oct 2025 08:53:20 GMT", "0"])
def test_a_date_that_is_none_is_unknown(value: str) -> None:
    assert date_of({"date": value}) is None


def test_a_date_is_seconds_since_the_epoch() -> None:
    assert date_of({"date": DATE}) == 1_760_000_000.0


def test_every_kind_of_error_has_a_reason_of_the_contract_and_a_remedy() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, ApiError)
    ]
    assert {kind.reason for kind in kinds} == set(REASONS)
    assert all(kind.remedy for kind in kinds)
    drawn = errors.__doc__ or ""
    assert all(kind.__name__ in drawn for kind in kinds)
