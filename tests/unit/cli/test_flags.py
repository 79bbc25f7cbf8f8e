"""Flags and their environment twins, addresses and the other kinds of values."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.cli.flags import Flag, address, choice, parse_flags, positive, url_path
from ncr_exporter.cli.main import COMMANDS, command_named
from ncr_exporter.httpd.address import Address

SERVE_FLAGS = command_named("serve").flags
ALL_FLAGS = dict.fromkeys(flag for name in COMMANDS for flag in command_named(name).flags)
TWINS = {
    "--in-use": "NCR_EXPORTER_IN_USE",
    "--config.file": "NCR_EXPORTER_CONFIG_FILE",
    "--web.listen-address": "NCR_EXPORTER_WEB_LISTEN_ADDRESS",
    "--web.config.file": "NCR_EXPORTER_WEB_CONFIG_FILE",
    "--web.telemetry-path": "NCR_EXPORTER_WEB_TELEMETRY_PATH",
    "--web.max-requests": "NCR_EXPORTER_WEB_MAX_REQUESTS",
    "--config.auto-reload": "NCR_EXPORTER_CONFIG_AUTO_RELOAD",
    "--web.enable-lifecycle": "NCR_EXPORTER_WEB_ENABLE_LIFECYCLE",
    "--config.check": "NCR_EXPORTER_CONFIG_CHECK",
    "--format": "NCR_EXPORTER_FORMAT",
    "--output": "NCR_EXPORTER_OUTPUT",
    "--stale": "NCR_EXPORTER_STALE",
    "--url": "NCR_EXPORTER_URL",
    "--shard": "NCR_EXPORTER_SHARD",
    "--storage.path": "NCR_EXPORTER_STORAGE_PATH",
    "--total-shards": "NCR_EXPORTER_TOTAL_SHARDS",
    "--log.level": "NCR_EXPORTER_LOG_LEVEL",
    "--log.format": "NCR_EXPORTER_LOG_FORMAT",
    "--tags": "NCR_EXPORTER_TAGS",
    "--fault-after": "NCR_EXPORTER_FAULT_AFTER",
    "--write-config": "NCR_EXPORTER_WRITE_CONFIG",
    "--fault": "NCR_EXPORTER_FAULT",
    "--replay": "NCR_EXPORTER_REPLAY",
    "--api-version": "NCR_EXPORTER_API_VERSION",
    "--online": "NCR_EXPORTER_ONLINE",
    "--record": "NCR_EXPORTER_RECORD",
    "--record-names": "NCR_EXPORTER_RECORD_NAMES",
    "--findings": "NCR_EXPORTER_FINDINGS",
    "--file-only": "NCR_EXPORTER_FILE_ONLY",
}

# A flag of serve, a value other than its default, the same read, and another value.
SERVE_VALUES: list[tuple[str, str, object, str]] = [
    ("--config.file", "other.yml", "other.yml", "third.yml"),
    ("--config.check", "true", True, "false"),
    ("--web.listen-address", "[::1]:1", (Address("::1", 1),), ":2"),
    ("--web.config.file", "web.yml", "web.yml", "other.yml"),
    ("--web.telemetry-path", "/inventory", "/inventory", "/else"),
    ("--web.max-requests", "3", 3, "4"),
    ("--storage.path", "/var/lib/x", Path("/var/lib/x"), "/elsewhere"),
    ("--shard", "1", "1", "auto"),
    ("--total-shards", "4", 4, "5"),
    ("--log.level", "debug", "debug", "error"),
    ("--log.format", "json", "json", "logfmt"),
]
DEFAULTS = {
    "--config.auto-reload": False,
    "--config.check": False,
    "--web.enable-lifecycle": False,
    "--config.file": "ncr-exporter.yml",
    "--web.listen-address": (Address(None, 10627),),
    "--web.config.file": None,
    "--web.telemetry-path": "/metrics",
    "--web.max-requests": 8,
    "--shard": None,
    "--storage.path": None,
    "--total-shards": 1,
    "--log.level": "info",
    "--log.format": "logfmt",
}


def serve_flags(*argv: str, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    return parse_flags("serve", "summary", SERVE_FLAGS, argv, environ or {})


def refused(
    capsys: pytest.CaptureFixture[str],
    argv: Sequence[str],
    environ: Mapping[str, str] | None = None,
) -> str:
    """Return what stands on stderr after the usage."""
    with pytest.raises(SystemExit) as stop:
        serve_flags(*argv, environ=environ)
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert err.startswith("usage: ncr-exporter serve")
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize("flag", ALL_FLAGS, ids=lambda flag: flag.name)
def test_every_flag_has_its_twin_in_the_environment(flag: Flag) -> None:
    assert flag.env_var == TWINS[flag.name]


def test_the_defaults_are_the_promised_ones() -> None:
    assert serve_flags() == DEFAULTS


def test_variables_of_others_change_nothing() -> None:
    assert serve_flags(environ={"LOG_LEVEL": "debug", "NCR_EXPORTER_ELSE": "x"}) == DEFAULTS


@pytest.mark.parametrize(("name", "text", "value", "_other"), SERVE_VALUES)
def test_a_flag_sets_its_value_and_no_other(
    name: str, text: str, value: object, _other: str
) -> None:
    assert serve_flags(f"{name}={text}") == {**DEFAULTS, name: value}
    assert serve_flags(name, text) == {**DEFAULTS, name: value}


@pytest.mark.parametrize(("name", "text", "value", "_other"), SERVE_VALUES)
def test_a_twin_sets_its_value_and_no_other(
    name: str, text: str, value: object, _other: str
) -> None:
    assert serve_flags(environ={TWINS[name]: text}) == {**DEFAULTS, name: value}


@pytest.mark.parametrize(("name", "text", "value", "other"), SERVE_VALUES)
def test_a_flag_beats_its_twin(name: str, text: str, value: object, other: str) -> None:
    assert serve_flags(f"{name}={text}", environ={TWINS[name]: other}) == {**DEFAULTS, name: value}


@pytest.mark.parametrize("name", ["--web.listen-address", "--web.max-requests", "--log.level"])
def test_a_flag_beats_its_twin_even_where_the_twin_is_nonsense(name: str) -> None:
    (text,) = (text for known, text, _, _ in SERVE_VALUES if known == name)
    assert serve_flags(name, text, environ={TWINS[name]: "nonsense"})[name] != DEFAULTS[name]


def test_a_repeatable_flag_may_be_given_again() -> None:
    values = serve_flags("--web.listen-address=:1", "--web.listen-address", "[::1]:2")
    assert values["--web.listen-address"] == (Address(None, 1), Address("::1", 2))


def test_repeated_values_in_the_environment_are_parted_by_commas() -> None:
    environ = {"NCR_EXPORTER_WEB_LISTEN_ADDRESS": ":1, [::1]:2,127.0.0.1:3"}
    assert serve_flags(environ=environ)["--web.listen-address"] == (
        Address(None, 1),
        Address("::1", 2),
        Address("127.0.0.1", 3),
    )


def test_a_given_list_replaces_the_twins_list() -> None:
    environ = {"NCR_EXPORTER_WEB_LISTEN_ADDRESS": ":1,:2"}
    values = serve_flags("--web.listen-address=:3", environ=environ)
    assert values["--web.listen-address"] == (Address(None, 3),)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("--web.listen-address", "10627", "'10627' is not an address; write :10627"),
        ("--web.listen-address", ":70000", "70000 is not a port; the largest is 65535"),
        ("--web.listen-address", "::1:80", "write :10627, 127.0.0.1:10627 or [::1]:10627"),
        ("--web.telemetry-path", "metrics", "must be a path such as /metrics, not 'metrics'"),
        ("--web.max-requests", "0", "must be a whole number above 0, not '0'"),
        ("--web.max-requests", "many", "must be a whole number above 0, not 'many'"),
        ("--log.level", "warning", "must be one of debug, info, warn, error, not 'warning'"),
        ("--log.level", "INFO", "must be one of debug, info, warn, error, not 'INFO'"),
        ("--log.format", "xml", "must be one of logfmt, json, not 'xml'"),
    ],
)
def test_a_bad_value_is_refused_with_its_source_and_what_would_be_right(
    capsys: pytest.CaptureFixture[str], name: str, text: str, sentence: str
) -> None:
    given = refused(capsys, [f"{name}={text}"]).splitlines()[-1]
    assert given.startswith(f"ncr-exporter serve: error: {name}: ")
    assert sentence in given
    env_var = refused(capsys, [], {TWINS[name]: text}).splitlines()[-1]
    assert env_var.startswith(f"ncr-exporter serve: error: {TWINS[name]}: ")
    assert sentence in env_var


@pytest.mark.parametrize("text", [":1,", ",:1", ":1,,:2", ","])
def test_an_empty_item_of_a_list_is_refused(capsys: pytest.CaptureFixture[str], text: str) -> None:
    error = refused(capsys, [], {"NCR_EXPORTER_WEB_LISTEN_ADDRESS": text})
    assert "NCR_EXPORTER_WEB_LISTEN_ADDRESS: '' is not an address" in error


@pytest.mark.parametrize(
    "argument",
    ["--log.lev=debug", "--config=x", "--web.listen=:1", "--web.max=3", "--vers", "--he"],
)
def test_abbreviated_flags_are_refused(capsys: pytest.CaptureFixture[str], argument: str) -> None:
    assert f"unrecognized arguments: {argument}" in refused(capsys, [argument])


@pytest.mark.parametrize("argument", ["--secret-key", "extra", "-c", "--log-level=info"])
def test_unknown_arguments_are_refused(capsys: pytest.CaptureFixture[str], argument: str) -> None:
    assert f"unrecognized arguments: {argument}" in refused(capsys, [argument])


def test_a_switch_needs_no_value_and_takes_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve_flags("--config.check")["--config.check"] is True
    assert serve_flags("--config.check=false")["--config.check"] is False
    said = refused(capsys, ["--config.check=yes"])
    assert "--config.check: must be true or false, not 'yes'" in said


def test_a_flag_without_its_value_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--log.level: expected one argument" in refused(capsys, ["--log.level"])


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_line_takes_a_secret(command: str) -> None:
    names = " ".join(flag.name for flag in command_named(command).flags)
    assert not re.search("secret|key|password|token|credential", names)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_flag_its_twin_and_its_default(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = command_named(command).flags
    with pytest.raises(SystemExit) as stop:
        parse_flags(command, "summary", flags, ["--help"], {})
    out, err = capsys.readouterr()
    assert (stop.value.code, err) == (0, "")
    words = re.split(r"[\s(),]+", out)
    for flag in flags:
        assert flag.name in words
        assert f"${flag.env_var}" in words
        assert flag.default is None or flag.default in words


def test_a_percent_sign_in_a_help_text_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    flag = Flag("--share", "100%", str, "how much, in % of %s")
    with pytest.raises(SystemExit):
        parse_flags("serve", "summary", [flag], ["--help"], {})
    assert "how much, in % of %s ($NCR_EXPORTER_SHARE, default" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (":10627", None, 10627),
        ("127.0.0.1:10627", "127.0.0.1", 10627),
        ("0.0.0.0:0", "0.0.0.0", 0),  # noqa: S104 -- read, not bound
        ("localhost:80", "localhost", 80),
        ("[::1]:10627", "::1", 10627),
        ("[::]:65535", "::", 65535),
        ("[fe80::1%eth0]:80", "fe80::1%eth0", 80),
        ("exporter.example:9", "exporter.example", 9),
    ],
)
def test_addresses_are_read_and_written_alike(text: str, host: str | None, port: int) -> None:
    assert address(text) == Address(host, port)
    assert str(address(text)) == text


BAD_ADDRESSES = [
    "",
    ":",
    "80",
    "localhost",
    "localhost:",
    "localhost:http",
    "::1:80",
    "::1",
    "[::1]",
    "[::1]80",
    "[::1:80",
    "::1]:80",
    "a:b:80",
    "http://localhost:80",
    ":-1",
    ":+1",
    ": 1",
    ":1 ",
    ":8_0",
    ":٣",
    ":65536",
    ":" + "9" * 5000,
]


@pytest.mark.parametrize("text", BAD_ADDRESSES)
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an address; write :10627|is not a port|Exceeds"):
        address(text)


@given(
    st.ip_addresses().map(str) | st.from_regex("[a-z0-9.-]{1,20}", fullmatch=True),
    st.integers(0, 65535),
)
def test_any_address_is_read_back_from_what_is_shown(host: str, port: int) -> None:
    assert address(str(Address(host, port))) == Address(host, port)


@given(st.text() | st.text("[]:.0123456789a"))
def test_any_text_is_an_address_or_a_sentence(text: str) -> None:
    try:
        found = address(text)
    except ValueError as error:
        sentence = str(error)
        assert "is not a" in sentence
    else:
        assert 0 <= found.port <= 65535


@pytest.mark.parametrize("text", ["1", "8", "007", "999999999"])
def test_whole_numbers_above_zero_are_read(text: str) -> None:
    assert positive(text) == int(text)


@pytest.mark.parametrize(
    "text", ["", "0", "00", "-1", "+1", "1.0", "1e3", " 1", "1_0", "٣", "9" * 10]
)
def test_anything_else_is_no_such_number(text: str) -> None:
    with pytest.raises(ValueError, match="must be a whole number above 0"):
        positive(text)


@pytest.mark.parametrize("text", ["/metrics", "/a/b", "/metrics/"])
def test_paths_are_read_as_they_are(text: str) -> None:
    assert url_path(text) == text


@pytest.mark.parametrize("text", ["", "/", "metrics", "/-/healthy", "/-/x", "/a\nb", "/a\x7f"])
def test_paths_that_are_none_or_taken_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a path such as /metrics"):
        url_path(text)


@pytest.mark.parametrize("text", ["/metrics?all=1", "/metrics#top", "/my metrics", "/métriques"])
def test_paths_that_no_request_can_have_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a path such as /metrics"):
        url_path(text)


def test_a_choice_takes_its_words_and_names_them_otherwise() -> None:
    read = choice(["on", "off"])
    assert read("off") == "off"
    with pytest.raises(ValueError, match="must be one of on, off, not 'o'"):
        read("o")


def test_a_twin_that_is_set_to_nothing_is_not_set() -> None:
    environ = {"NCR_EXPORTER_LOG_LEVEL": ""}
    assert parse_flags("serve", "", SERVE_FLAGS, [], environ)["--log.level"] == "info"
