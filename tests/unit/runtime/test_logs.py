"""What stands on stderr: one line per event that machines can read, and nothing secret."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ncr_exporter.runtime.logs import FORMATS, LEVELS, configure_logs
from tests.support.in_process import logs_kept

Event = dict[str, str]
CANARY = "canary"
ORDER = ["debug", "info", "warn", "error"]

both_formats = pytest.mark.parametrize("form", ["logfmt", "json"])


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    with logs_kept():
        yield


def logfmt(line: str) -> Event:
    """Read one line as go-logfmt does: control characters stand nowhere, `"` only around values."""
    assert all(c >= " " for c in line), f"a control character in {line!r}"
    pairs: list[tuple[str, str]] = []
    position = 0
    while position < len(line):
        end = min((i for i in (line.find(c, position) for c in " =") if i >= 0), default=len(line))
        key, value, position = line[position:end], "true", end
        if line[position : position + 1] == "=":
            value, position = logfmt_value(line, position + 1)
        assert key, f"no key in {line!r}"
        assert '"' not in key
        pairs.append((key, value))
        assert line[position : position + 1] in {"", " "}
        position += 1
    assert len(dict(pairs)) == len(pairs), f"a key twice in {line!r}"
    return dict(pairs)


def logfmt_value(line: str, start: int) -> tuple[str, int]:
    """Return the value that starts here, and where it ends."""
    if line[start : start + 1] != '"':
        end = line.find(" ", start)
        end = len(line) if end < 0 else end
        assert not {'"', "="} & set(line[start:end])
        return line[start:end], end
    end = start + 1
    while line[end] != '"':
        end += 2 if line[end] == "\\" else 1
    value: str = json.loads(line[start : end + 1])
    return value, end + 1


PARSERS: dict[str, Callable[[str], Event]] = {"logfmt": logfmt, "json": json.loads}


def events(capsys: pytest.CaptureFixture[str], form: str) -> list[Event]:
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "" or err.endswith("\n")
    return [PARSERS[form](line) for line in err.split("\n")[:-1]]


def test_the_formats_and_levels_are_the_promised_ones() -> None:
    assert list(LEVELS) == ORDER
    assert set(FORMATS) == set(PARSERS)


@both_formats
def test_an_event_is_one_line_with_time_level_message_and_its_fields(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    configure_logs("info", form)
    structlog.get_logger().info("poll failed", image="a/b", status="404", registry="r", zone="kr")
    (event,) = events(capsys, form)
    written = datetime.fromisoformat(event.pop("ts"))
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=1)
    assert event == {
        "level": "info",
        "msg": "poll failed",
        "registry": "r",
        "image": "a/b",
        "status": "404",
        "zone": "kr",
    }


@both_formats
def test_every_line_starts_with_time_level_and_message(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    configure_logs("debug", form)
    structlog.get_logger().info("ours", zone="kr", image="a", registry="r")
    structlog.get_logger().bind(always="there").warning("bound")
    logging.getLogger("some.library").error("theirs")
    starts = [list(event)[:3] for event in events(capsys, form)]
    assert starts == [["ts", "level", "msg"]] * 3


def test_in_logfmt_where_it_happened_comes_before_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "logfmt")
    structlog.get_logger().info("m", extra="e", reason="tls", image="i", registry="r")
    (event,) = events(capsys, "logfmt")
    assert list(event) == ["ts", "level", "msg", "registry", "image", "reason", "extra"]


@both_formats
@pytest.mark.parametrize(
    "value",
    [
        "two\nlines",
        "\n",
        "ends\n",
        "with spaces\nand lines",
        'a "quote"\nand=sign',
        "dos\r\nlines",
        "level=error\nts=0 msg=forged",
    ],
)
def test_a_value_with_newlines_stays_on_one_line(
    capsys: pytest.CaptureFixture[str], form: str, value: str
) -> None:
    configure_logs("info", form)
    structlog.get_logger().info(f"m{value}", detail=value, after="x")
    (event,) = events(capsys, form)
    assert event["level"] == "info"
    assert event["after"] == "x"
    assert event["msg"].startswith("m")


@both_formats
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(codec="utf-8")))
@example(value="a gateway's\ttab")
@example(value="tab\twithout spaces")
@example(value="\x1b[2J\x1b]0;title\x07")
@example(value="carriage\rreturn")
@example(value="\\")
@example(value='\\"')
def test_whatever_a_value_holds_it_stays_in_its_own_field(
    capsys: pytest.CaptureFixture[str], form: str, value: str
) -> None:
    """The API's words are logged: they must neither forge fields nor steer a terminal."""
    configure_logs("info", form)
    structlog.get_logger().error("refused", detail=value, reason="server")
    (event,) = events(capsys, form)
    assert sorted(event) == ["detail", "level", "msg", "reason", "ts"]
    assert (event["msg"], event["reason"]) == ("refused", "server")


@both_formats
@pytest.mark.parametrize("value", ["plain", "two words", 'a "quote"', "a=b", "C:\\new folder", "é"])
def test_a_value_is_read_back_as_it_was(
    capsys: pytest.CaptureFixture[str], form: str, value: str
) -> None:
    configure_logs("info", form)
    structlog.get_logger().info("m", detail=value)
    (event,) = events(capsys, form)
    assert event["detail"] == value


@both_formats
def test_warn_is_written_as_the_flag_writes_it(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    configure_logs("info", form)
    structlog.get_logger().warning("ours")
    logging.getLogger("library").warning("theirs")
    assert [event["level"] for event in events(capsys, form)] == ["warn", "warn"]


@both_formats
@pytest.mark.parametrize("level", ORDER)
def test_a_level_lets_itself_and_worse_through(
    capsys: pytest.CaptureFixture[str], form: str, level: str
) -> None:
    configure_logs(level, form)
    ours, theirs = structlog.get_logger(), logging.getLogger("library")
    for log in (ours, theirs):
        log.debug("m")
        log.info("m")
        log.warning("m")
        log.error("m")
    let_through = ORDER[ORDER.index(level) :]
    assert [event["level"] for event in events(capsys, form)] == let_through * 2


@both_formats
def test_other_libraries_logs_have_the_same_form(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    configure_logs("info", form)
    logging.getLogger("asyncio").error("task %s was\nnever %d", "a b", 7)
    (event,) = events(capsys, form)
    assert event["msg"] == "task a b was\nnever 7"
    assert event["level"] == "error"
    assert datetime.fromisoformat(event["ts"]).tzinfo is not None


@pytest.mark.parametrize("library", ["httpx", "httpcore", "httpcore.connection", "httpcore.http11"])
@pytest.mark.parametrize("level", ["debug", "info"])
def test_the_http_libraries_never_log_requests_and_headers(
    capsys: pytest.CaptureFixture[str], library: str, level: str
) -> None:
    configure_logs(level, "logfmt")
    log = logging.getLogger(library)
    log.debug("send_request_headers.started x-ncp-iam-access-key=canary")
    log.info("HTTP Request: GET https://ncr.apigw.ntruss.com/")
    log.warning("worth knowing")
    assert [event["msg"] for event in events(capsys, "logfmt")] == ["worth knowing"]


def fail_beside(_secret: str) -> None:
    raise ValueError("two\nlines of reason")


@both_formats
@pytest.mark.parametrize("ours", [True, False], ids=["ours", "a library's"])
def test_a_traceback_is_one_line_without_the_values_of_variables(
    capsys: pytest.CaptureFixture[str], form: str, *, ours: bool
) -> None:
    configure_logs("info", form)
    try:
        fail_beside(CANARY)
    except ValueError:
        (structlog.get_logger() if ours else logging.getLogger("library")).exception("it failed")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert CANARY not in err
    event = PARSERS[form](err.rstrip("\n"))
    assert event["msg"] == "it failed"
    assert "in fail_beside" in event["exception"]
    assert event["exception"].endswith("ValueError: two\nlines of reason")


@both_formats
def test_configuring_again_replaces_and_does_not_double(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    configure_logs("error", "logfmt")
    configure_logs("info", form)
    structlog.get_logger().info("once")
    assert [event["msg"] for event in events(capsys, form)] == ["once"]
