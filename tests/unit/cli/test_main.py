"""Arguments in, exit code out; what is wrong stands on stderr, in words."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from ncr_exporter import __version__
from ncr_exporter.cli.main import COMMANDS, command_named, main
from tests.support.in_process import logs_kept

VERSION = f"ncr-exporter {__version__}\n"
KEYS = "credentials: {access_key: a, secret_key: canary}\n"
IMAGES = "registries: [{name: mine, images: [app]}]\n"


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    with logs_kept():
        yield


@pytest.fixture
def taken() -> Iterator[str]:
    """An address that is in use: a `serve` whose configuration is right ends there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def failed(
    capsys: pytest.CaptureFixture[str],
    argv: Sequence[str],
    environ: Mapping[str, str] | None = None,
    *,
    code: int = 2,
) -> str:
    """Return what a call that fails writes to stderr."""
    assert main(argv, environ or {}) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return err


def shown(
    capsys: pytest.CaptureFixture[str],
    argv: Sequence[str],
    environ: Mapping[str, str] | None = None,
) -> str:
    """Return what a call that only shows something writes to stdout."""
    assert main(argv, environ or {}) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_python_m_ncr_exporter_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ncr_exporter", "--version"],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, VERSION, "")


@pytest.mark.parametrize("argv", [["--version"], *([name, "--version"] for name in COMMANDS)])
def test_version_is_shown(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, argv) == VERSION


@pytest.mark.parametrize("argument", ["--help", "-h"])
def test_help_lists_the_commands_and_the_flags_of_serve(
    argument: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = shown(capsys, [argument])
    words = " ".join(out.split())
    for name in COMMANDS:
        assert f" {name} {command_named(name).summary} " in words
    assert max(map(len, out.splitlines())) <= 80
    assert "--config.file" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, [command, "--help"])
    assert out.startswith(f"usage: ncr-exporter {command} ")
    assert " ".join(command_named(command).summary.split()) in " ".join(out.split())


def test_help_is_shown_even_where_the_environment_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "--log.level" in shown(capsys, ["--help"], {"NCR_EXPORTER_LOG_LEVEL": "loud"})


ARE = f"he commands are {', '.join(COMMANDS)}"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sevre", f"did you mean 'serve'? T{ARE}"),
        ("SERVE", f"did you mean 'serve'? T{ARE}"),
        ("chek", f"did you mean 'check'? T{ARE}"),
        ("status", f"t{ARE}"),
        ("help", "write --help"),
        ("version", "write --version"),
        ("my.yaml", "name a configuration with --config.file=my.yaml"),
    ],
)
def test_an_unknown_command_is_refused_with_what_was_meant(
    name: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failed(capsys, [name]) == f"ncr-exporter: unknown command {name!r}; {told}\n"


@pytest.mark.parametrize(
    ("argv", "environ", "told"),
    [
        (["--log.level=loud"], {}, "--log.level: must be one of"),
        (["serve", "--log.level=loud"], {}, "--log.level: must be one of"),
        ([], {"NCR_EXPORTER_LOG_LEVEL": "loud"}, "NCR_EXPORTER_LOG_LEVEL: must be one of"),
        (["demo"], {"NCR_EXPORTER_LOG_FORMAT": "x"}, "NCR_EXPORTER_LOG_FORMAT: must be one of"),
        (["demo", "--web.listen-address=x"], {}, "--web.listen-address: 'x' is not an address"),
        (["serve", "more"], {}, "unrecognized arguments: more\n"),
        ([""], {}, "unrecognized arguments: "),
    ],
)
def test_wrong_usage_shows_the_usage_and_what_is_wrong(
    argv: list[str], environ: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    err = failed(capsys, argv, environ)
    command = argv[0] if argv and argv[0] in COMMANDS else "serve"
    assert err.startswith(f"usage: ncr-exporter {command} ")
    assert f"\nncr-exporter {command}: error: {told}" in err


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--config.fil=x"], "--config.fil=x; did you mean '--config.file'?"),
        (["--config=x"], "--config=x; did you mean '--config.file'?"),
        (["--log-level=x"], "--log-level=x; did you mean '--log.level'?"),
        (["--online"], "--online; --online is a flag of `ncr-exporter check`"),
        (["once", "--file-only"], "--file-only; --file-only is a flag of `ncr-exporter check`"),
        (["--config.file=x", "check"], "check; the command comes first: ncr-exporter check …"),
        (["check", "x.yml"], "x.yml; name a configuration with --config.file=x.yml"),
        (
            ["--secret-key=canary"],
            "--secret-key=…; keys are taken from the configuration or the environment",
        ),
    ],
)
def test_a_mistyped_argument_is_told_with_what_was_meant(
    argv: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    last = failed(capsys, argv).splitlines()[-1]
    assert last.partition("error: ")[2] == f"unrecognized arguments: {told}"


MISSPELT = {"NCR_EXPORTER_LOGLEVEL": "info", "NCR_EXPORTER_REGISTRY": "mine"}
OF_A_SERVICE = (
    "NCR_EXPORTER_SERVICE_HOST",
    "NCR_EXPORTER_SERVICE_PORT",
    "NCR_EXPORTER_SERVICE_PORT_HTTP_METRICS",
    "NCR_EXPORTER_PORT",
    "NCR_EXPORTER_PORT_10627_TCP",
    "NCR_EXPORTER_PORT_10627_TCP_PROTO",
    "NCR_EXPORTER_PORT_10627_TCP_PORT",
    "NCR_EXPORTER_PORT_10627_TCP_ADDR",
)


def test_a_misspelt_variable_is_warned_about(
    tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yml").write_text(KEYS + IMAGES)
    file = f"--config.file={tmp_path / 'c.yml'}"
    assert main(["check", file], MISSPELT) == 0
    assert capsys.readouterr().err == (
        "ncr-exporter: warning: the variable NCR_EXPORTER_LOGLEVEL is not read; "
        "did you mean 'NCR_EXPORTER_LOG_LEVEL'?\n"
        "ncr-exporter: warning: the variable NCR_EXPORTER_REGISTRY is not read; "
        "did you mean 'NCR_EXPORTER_REGISTRIES'?\n"
    )
    log = failed(capsys, [file, f"--web.listen-address={taken}"], MISSPELT, code=1)
    assert 'level=warn msg="variable is not read" variable=NCR_EXPORTER_LOGLEVEL' in log


def test_variables_of_other_commands_and_of_kubernetes_are_no_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yml").write_text(KEYS + IMAGES)
    environ = {**dict.fromkeys(OF_A_SERVICE, "x"), "NCR_EXPORTER_WEB_MAX_REQUESTS": "3"}
    assert main(["check", f"--config.file={tmp_path / 'c.yml'}"], environ) == 0
    assert capsys.readouterr().err == ""


def test_a_missing_configuration_is_named_with_the_flag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "absent.yml"
    assert failed(capsys, [f"--config.file={path}"]) == (
        f"ncr-exporter: {path}: cannot be read: no such file; name the file with --config.file\n"
    )


def test_the_flag_names_the_file_where_the_environment_names_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"NCR_EXPORTER_CONFIG_FILE": str(tmp_path / "env_var.yml")}
    assert "env_var.yml: cannot be read" in failed(capsys, ["serve"], environ)
    err = failed(capsys, ["serve", f"--config.file={tmp_path / 'flag.yml'}"], environ)
    assert "flag.yml: cannot be read" in err
    assert "env_var.yml" not in err


def test_every_problem_of_a_configuration_is_one_line_with_file_line_and_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.yml"
    path.write_text("api:\n  zon: public\n  page_size: 0\nregistries: []\n")
    assert failed(capsys, [f"--config.file={path}"]).splitlines() == [
        f"ncr-exporter: {path}:2: api.zon: unknown key; did you mean 'zone'?",
        f"ncr-exporter: {path}:3: api.page_size: must be a whole number from 1 to 10000, not 0",
        f"ncr-exporter: {path}:4: registries: must not be an empty list",
    ]


def test_an_address_in_use_fails_with_the_remedy(
    tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yml").write_text(KEYS + IMAGES)
    argv = [f"--config.file={tmp_path / 'c.yml'}", f"--web.listen-address={taken}"]
    assert failed(capsys, argv, code=1).splitlines()[-1] == (
        f"ncr-exporter: cannot listen on {taken}: Address already in use; "
        "choose another with --web.listen-address"
    )


@pytest.mark.parametrize("listen", ["a..b:1", "a" * 64 + ":1", "[::1%none]:1"], ids=str)
def test_an_address_that_cannot_be_fails_in_words(
    listen: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yml").write_text(KEYS + IMAGES)
    argv = [f"--config.file={tmp_path / 'c.yml'}", f"--web.listen-address={listen}"]
    assert main(argv, {}) in {1, 2}
    err = capsys.readouterr().err.splitlines()[-1]
    assert listen in err
    assert "Unknown error" not in err


UNUSABLE = {
    "no ca_file": f"api: {{ca_file: absent.pem}}\n{KEYS}",
    "a directory as ca_file": f"api: {{ca_file: .}}\n{KEYS}",
    "an impossible ca_file": f'api: {{ca_file: "a\\0b"}}\n{KEYS}',
    "a proxy that is no URL": f"api: {{proxy_url: nonsense}}\n{KEYS}",
    "a proxy with a bad port": f"api: {{proxy_url: 'http://u:canary@proxy:port'}}\n{KEYS}",
    "a proxy of another kind": f"api: {{proxy_url: 'ftp://u:canary@proxy'}}\n{KEYS}",
    "a SOCKS proxy": f"api: {{proxy_url: 'socks5://u:canary@proxy:1080'}}\n{KEYS}",
    "a base URL with a newline": f'api: {{base_url: "https://a\\nb"}}\n{KEYS}',
    "a base URL with a space": f"api: {{base_url: 'https://a b'}}\n{KEYS}",
    "no key file": "credentials: {access_key: canary, secret_key_file: absent}\n",
    "a directory as key file": "credentials: {access_key: canary, secret_key_file: .}\n",
    "an impossible key file": 'credentials: {access_key: canary, secret_key_file: "a\\0b"}\n',
    "a key with a space": "credentials: {access_key: id, secret_key: can ary}\n",
    "an unset variable": "credentials: {access_key: id, secret_key: '${NCR_TEST_UNSET}'}\n",
}


@pytest.mark.parametrize("head", UNUSABLE.values(), ids=UNUSABLE)
def test_a_configuration_that_cannot_be_used_exits_2_in_words(
    head: str, tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yml").write_text(head + IMAGES)
    argv = [f"--config.file={tmp_path / 'c.yml'}", f"--web.listen-address={taken}"]
    err = failed(capsys, argv)
    assert err.splitlines()[-1].startswith("ncr-exporter: ")
    assert "canary" not in err
    assert "can ary" not in err


def test_credentials_and_references_are_looked_up_in_the_environment_that_is_given(
    tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yml").write_text("registries: [{name: '${NCR_TEST_NAME}', images: [app]}]\n")
    argv = [f"--config.file={tmp_path / 'c.yml'}", f"--web.listen-address={taken}"]
    keys = {"NCLOUD_ACCESS_KEY": "a", "NCLOUD_SECRET_KEY": "s", "NCR_TEST_NAME": "mine"}
    assert "NCR_TEST_NAME" not in os.environ
    assert "registry=mine source=environment" in failed(capsys, argv, keys, code=1)


def test_without_any_key_it_is_said_where_one_could_stand(
    tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yml").write_text(IMAGES)
    argv = [f"--config.file={tmp_path / 'c.yml'}", f"--web.listen-address={taken}"]
    err = failed(capsys, argv, {"HOME": str(tmp_path)})
    assert err == (
        f"ncr-exporter: {tmp_path / 'c.yml'}:1: registries[0]: no API key: "
        "set NCLOUD_ACCESS_KEY_ID and NCLOUD_SECRET_ACCESS_KEY in the environment, "
        "or credentials in the configuration, "
        f"or write {tmp_path / '.ncloud' / 'configure'}; it is needed by registry mine\n"
    )


@pytest.mark.parametrize(("form", "start"), [("logfmt", "ts="), ("json", "{")])
def test_the_log_has_the_form_that_is_asked_for(
    form: str, start: str, tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yml").write_text(KEYS + IMAGES)
    argv = [f"--config.file={tmp_path / 'c.yml'}", f"--web.listen-address={taken}"]
    assert failed(capsys, [*argv, f"--log.format={form}"], code=1).startswith(start)
    assert failed(capsys, [*argv, "--log.level=error"], code=1).startswith("ncr-exporter: cannot")
