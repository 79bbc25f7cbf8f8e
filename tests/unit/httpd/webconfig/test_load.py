"""The web configuration file: a gallery of right and wrong ones, and promtool's opinion of each.

`config/web/*.bad.yml` begin with `# expected:` lines, as in `config/`. `<<server.pem>>` stands for
what that file holds, and `<<here>>` for where it lies.
"""

import json
import re
import subprocess
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.config import ConfigError
from ncr_exporter.httpd.webconfig.load import WebConfig, load_web_config
from ncr_exporter.httpd.webconfig.model import (
    HttpSettings,
    RateSettings,
    TlsSettings,
    WebConfigSettings,
)
from ncr_exporter.runtime.watched_files import WatchedFiles
from tests.support.certificates import certificates_in

GALLERY = Path(__file__).resolve().parents[3] / "data" / "config" / "web"
DOCUMENTATION = Path(__file__).resolve().parents[4] / "docs" / "web-config.md"
SAMPLES = sorted(path.name for path in GALLERY.iterdir())

STRICTER = {
    "both-files-are-empty": "it takes empty names for no TLS at all, and serves in the clear",
    "cert-and-cert-file": "it takes the file without a word; its documentation forbids both",
    "cipher-suites-of-another-version": "it lets handshakes fail instead",
    "client-auth-type-is-empty": "it takes an empty word for NoClientCert",
    "client-auth-type-without-verifying": "Python's ssl has no such mode",
    "client-auth-type-without-verifying-by-its-old-name": "likewise",
    "client-ca-holds-nothing": "it lets every client fail instead",
    "client-ca-is-damaged": "likewise",
    "client-ca-twice": "it takes the file without a word; its documentation forbids both",
    "client-names-is-empty": "it lets every client fail instead",
    "client-names-without-verifying": "it lets everybody in, whatever the names",
    "header-of-two-lines": "h11 refuses such a header, and every answer would fail",
    "header-outside-ascii": "likewise",
    "http2-is-a-letter": "our YAML has no such booleans",
    "max-version-too-old": "Python's OpenSSL speaks TLS 1.2 and 1.3 only",
    "merge-key": "our YAML has no merge keys",
    "min-above-max-version": "it lets handshakes fail instead",
    "rate-without-a-unit": "it takes a bare number for nanoseconds",
    "two-documents": "it reads the first without a word of the second",
    "user-with-a-colon": "it lets such a user never in",
    "user-with-a-hash-that-takes-hours": "it computes for 40 hours at the first guess",
    "user-with-a-hash-of-no-known-kind": "Python's bcrypt does not know it",
    "user-with-a-long-hash": "it lets such a user never in",
    "user-with-a-salt-that-bcrypt-does-not-make": "Python's bcrypt refuses it",
    "version-without-cert": "it serves in the clear",
}
"""Bad samples that promtool takes, and why we do not."""
OLDER = {
    "cipher-suite-without-forward-secrecy": "Go called it secure until 1.22",
}
"""Samples that the promtool of some Go version judges as it was built."""
UNKNOWN = re.compile(r"field (cert|key|client_ca|client_allowed_sans|rate_limit) not found")
"""Keys younger than Debian 12's promtool, which is of January 2023."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the gallery and the files that it names."""
    directory = tmp_path_factory.mktemp("web")
    certificates_in(directory)

    def text_of(match: re.Match[str]) -> str:
        return json.dumps((directory / match[1]).read_text())

    for name in SAMPLES:
        text = (GALLERY / name).read_text(encoding="utf-8").replace("<<here>>", str(directory))
        (directory / name).write_text(re.sub("<<(.*?)>>", text_of, text), encoding="utf-8")
    return directory


def gallery(*kinds: str) -> pytest.MarkDecorator:
    names = [name for name in SAMPLES if name.split(".")[1] in kinds]
    return pytest.mark.parametrize("name", names)


def expected(path: Path) -> list[str]:
    start = "# expected: "
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


def problems(path: Path) -> list[str]:
    """Return what is wrong with a file, one problem a line, without its name."""
    with pytest.raises(ConfigError) as caught:
        load_web_config(str(path), WatchedFiles())
    return [line.removeprefix(f"{path}:").strip() for line in str(caught.value).split("\n")]


def site(path: Path) -> WebConfig:
    return load_web_config(str(path), WatchedFiles())


@gallery("ok")
def test_a_right_file_is_taken(name: str, place: Path) -> None:
    assert "hush" not in repr(site(place / name))


@gallery("bad")
def test_a_wrong_file_is_refused_with_every_mistake_in_its_place(name: str, place: Path) -> None:
    told = problems(place / name)
    wanted = expected(place / name)
    assert len(told) == len(wanted), told
    for line, want in zip(told, wanted, strict=True):
        assert line.startswith(want[:-1]) if want.endswith("…") else line == want
    assert "hush" not in str(told)
    assert "$2" not in str(told)


@pytest.fixture(scope="module")
def verdicts(place: Path, promtool: Path) -> dict[str, str]:
    """What promtool says of each sample, all asked at once."""
    done = subprocess.run(  # noqa: S603 -- fixed words, no shell
        [promtool, "check", "web-config", *SAMPLES],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    said = re.split(r"^(\S+) (?=SUCCESS|FAILED)", done.stdout, flags=re.MULTILINE)
    return dict(zip(said[1::2], said[2::2], strict=True))


@pytest.mark.prometheus
@gallery("ok", "bad")
def test_promtool_agrees(name: str, verdicts: dict[str, str]) -> None:
    sample, kind = name.split(".")[:2]
    told = verdicts[name]
    if UNKNOWN.search(told) or sample in OLDER:
        return
    assert told.startswith("SUCCESS") == (kind == "ok" or sample in STRICTER), told


KEYS = st.sampled_from(
    [
        f.name
        for model in (WebConfigSettings, TlsSettings, HttpSettings, RateSettings)
        for f in fields(model)
    ]
) | st.sampled_from(["X-Frame-Options", "alice", "a:b"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | st.sampled_from(["server.pem", "server.key", "TLS12", "RequireAndVerifyClientCert", "\ud800"])
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner), max_leaves=20
)


@given(TREES | st.dictionaries(KEYS, st.dictionaries(KEYS, LEAVES)))
def test_any_document_is_taken_or_refused_and_nothing_else(place: Path, document: object) -> None:
    path = place / "any.yml"
    path.write_text(yaml.safe_dump(document))
    with suppress(ConfigError):
        site(path)


def test_the_documentation_names_every_key_and_its_example_is_right(place: Path) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    models = (WebConfigSettings, TlsSettings, HttpSettings, RateSettings)
    keys = [f.name for model in models for f in fields(model)]
    assert len(keys) > 20
    assert [key for key in keys if key not in text] == []
    example = re.findall("```yaml\n(.*?)```", text, re.DOTALL)[0]
    (place / "example.yml").write_text(example.replace("clients.pem", "ca.pem"))
    assert set(site(place / "example.yml").users) == {"prometheus"}


def test_the_gallery_and_its_exceptions_are_there() -> None:
    assert all(name.endswith((".ok.yml", ".bad.yml")) for name in SAMPLES)
    assert {f"{name}.bad.yml" for name in STRICTER | OLDER} <= set(SAMPLES)
