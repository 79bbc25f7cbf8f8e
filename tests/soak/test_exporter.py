"""The log of a soak's exporter: what a program in good health never writes is a problem."""

from tests.soak.exporter import unhealthy

HEALTHY = (
    'ts=2026-11-25T10:00:00Z level=warn msg="poll failed" registry=alpha',
    'ts=2026-11-25T10:00:01Z level=error msg="reload failed; the configuration in force stays"',
)


def test_warnings_and_a_refused_configuration_are_healthy() -> None:
    assert list(unhealthy(HEALTHY)) == []


def test_an_error_and_what_is_no_line_of_the_log_are_not() -> None:
    error = 'ts=2026-11-25T10:00:02Z level=error msg="stop failed"'
    warning = "ResourceWarning: unclosed socket"
    assert list(unhealthy([*HEALTHY, error, warning])) == [
        f"the log says: {error}",
        f"the log says: {warning}",
    ]


def test_of_a_long_traceback_both_ends_are_shown() -> None:
    (problem,) = unhealthy(["Traceback " + "x" * 2000 + " KeyError"])
    assert problem.startswith("the log says: Traceback x")
    assert problem.endswith("x KeyError")
    assert len(problem) < 650
