"""The configuration file: a gallery of right and wrong ones, and that no secret ever shows.

`config/*.bad.yml` begin with `# expected:` lines: all that `ConfigError` says, line by line,
without the file's name. In `config/*.ok.yml` they are parts of the configuration's `repr`, and
`# warning:` lines are all its warnings.
"""

import copy
import dataclasses
import json
import pickle
import traceback
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from ncr_exporter.config import (
    Api,
    Config,
    ConfigError,
    CredentialsConfig,
    Secret,
    Settings,
    load,
    parse,
)
from ncr_exporter.metrics.rendering import label_pair
from ncr_exporter.ncr.versions import VERSIONS, gateway_of
from tests.support.states import named_images

GALLERY = Path(__file__).resolve().parents[2] / "data" / "config"
ENVIRON = {"TEAM": "team-a", "MINUTES": "5", "EMPTY": "", "ACCESS_KEY": "id-of-the-environment"}
ENVIRON |= {"LINE": "mine\n", "MARK": "\ufeffmine"}
IMAGES = "registries: [{name: mine, images: [app]}]\n"


def gallery(kind: str) -> pytest.MarkDecorator:
    files = sorted(GALLERY.glob(f"*.{kind}.yml"))
    names = [path.name.removesuffix(f".{kind}.yml") for path in files]
    return pytest.mark.parametrize("path", files, ids=names)


def expected(path: Path, start: str = "# expected: ") -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


def problems(text: str) -> list[str]:
    """Return what is wrong with `text`, one problem a line, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "F", ENVIRON)
    return [line.removeprefix("F:").strip() for line in str(caught.value).split("\n")]


def read(text: str) -> Config | ConfigError:
    """Read any text; every exception but `ConfigError` comes through."""
    try:
        return parse(text, "F", ENVIRON)
    except ConfigError as error:
        return error


@gallery("ok")
def test_a_right_configuration_is_read_as_it_is_meant(path: Path) -> None:
    config = load(str(path), ENVIRON)
    shown = repr(config)
    assert expected(path)
    warnings = [f"{each.line}: {each.place}: {each.message}" for each in config.warnings]
    assert warnings == expected(path, "# warning: ")
    assert [part for part in expected(path) if part not in shown] == []
    assert "hush" not in shown


@gallery("bad")
def test_a_wrong_configuration_is_refused_with_every_mistake_in_its_place(path: Path) -> None:
    told = problems(path.read_text(encoding="utf-8"))
    assert told == expected(path)
    assert "hush" not in str(told)


def test_the_gallery_is_there() -> None:
    names = [path.name for path in GALLERY.iterdir() if path.is_file()]
    assert len(names) > 100
    assert all(name.endswith((".ok.yml", ".bad.yml")) for name in names)


# Reading the file


def test_a_configuration_knows_its_directory_and_a_digest_of_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(IMAGES)
    (tmp_path / "b.yml").write_text(IMAGES + "# changed\n")
    a, b = (load(str(tmp_path / name), {}) for name in ("a.yml", "b.yml"))
    assert a.directory == tmp_path
    assert a.digest == load(str(tmp_path / "a.yml"), {}).digest
    assert a.digest != b.digest
    assert len(a.digest) == 64
    assert dataclasses.replace(a, digest=b.digest) == b


def test_a_file_may_begin_with_a_byte_order_mark_and_have_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_bytes(b"\xef\xbb\xbf" + IMAGES.replace("\n", "\r\n").encode())
    assert load(str(tmp_path / "c.yml"), {}).registries[0].name == "mine"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: no such file; name the file with --config.file"),
        ("registries: []".encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (b"", "the file is empty; `registries` is needed"),
        (b"\n  \n", "the file is empty; `registries` is needed"),
    ],
)
def test_a_file_that_is_no_text_is_named(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(str(path), {})
    assert str(caught.value).startswith(f"{path}: {words}")
    assert caught.value.source == str(path)


def test_a_directory_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: it is a directory; name the file in it"):
        load(str(tmp_path), {})


def test_references_are_looked_up_in_the_given_environment() -> None:
    text = "registries: [{name: '${NAME}', images: [app]}]"
    assert parse(text, "F", {"NAME": "mine"}).registries[0].name == "mine"
    assert isinstance(read(text), ConfigError)


# Messages


@pytest.mark.parametrize(
    "item", ["1.10", "5", "on", "2024-01-02", "1:30"], ids=lambda item: f"[{item}]"
)
def test_an_image_that_yaml_takes_for_something_else_is_told_to_be_quoted(item: str) -> None:
    (problem,) = problems(f"registries: [{{name: mine, images: [{item}]}}]")
    assert problem.startswith("1: registries[0].images[0]: ")
    assert "quotes" in problem


@pytest.mark.parametrize(
    "text",
    [
        "? [a, b]\n: x\n" + IMAGES,
        "? {a: b}\n: x\n" + IMAGES,
        "api: {zone: 2024-01-02}\n" + IMAGES,
        "registries: [{name: 2024-01-02T00:00:00Z, images: [app]}]",
    ],
)
def test_problems_are_told_in_words_and_not_in_pythons(text: str) -> None:
    (problem,) = problems(text)
    assert "Node" not in problem
    assert "tag:" not in problem
    assert "datetime" not in problem


def test_a_long_value_is_shown_shortly() -> None:
    (problem,) = problems(f"api: {{zone: {'x' * 1000}}}\n" + IMAGES)
    assert len(problem) < 150


def test_every_registry_of_an_account_may_be_asked_for() -> None:
    config = parse("registries: [{name: '*'}]", "F", {})
    assert config.registries[0].images is None


# Whatever is written: a Config or a ConfigError

TAGS = "int float bool null timestamp binary str seq map set omap pairs merge value python/tuple"


@pytest.mark.parametrize("tag", TAGS.split(" "))
def test_an_explicit_tag_breaks_nothing(tag: str) -> None:
    for scalar in ("''", "foo", "'_'", "'1:2'", "'-'", "'0x'", "'='"):
        value = f"!!{tag} {scalar}"
        assert isinstance(read(f"api: {value}\n{IMAGES}"), Config | ConfigError)
        assert isinstance(read(f"api: {{zone: {value}}}\n{IMAGES}"), Config | ConfigError)
        assert isinstance(read(f"registries: {value}\n"), ConfigError)
        assert isinstance(read(f"registries: [[{value}]]\n"), ConfigError)
        assert isinstance(read(f"{value}: x\n{IMAGES}"), ConfigError)
        assert isinstance(read(value), ConfigError)


@pytest.mark.parametrize(
    "number",
    [
        "9" * 5000,
        "-" + "9" * 5000,
        "0x" + "f" * 5000,
        "0b" + "1" * 20_000,
        "0" + "7" * 9000,
        "1" + ":1" * 5000,
        "1" + ":1" * 500 + ".5",
        "1" + "0" * 400 + ".0",
        "9" * 400,
    ],
    ids=lambda number: f"{number[:5]}…",
)
def test_a_number_beyond_all_bounds_is_refused_in_few_words(number: str) -> None:
    for text in (
        f"api: {{page_size: {number}}}\n{IMAGES}",
        f"api: {{requests_per_second: {number}}}\n{IMAGES}",
        f"defaults: {{tag_series_by: {number}}}\n{IMAGES}",
        f"api: {number}\n{IMAGES}",
        f"registries: {number}\n",
        f"registries: [{number}]\n",
        f"registries: [{{name: {number}, images: [app]}}]\n",
    ):
        error = read(text)
        assert isinstance(error, ConfigError)
        assert len(str(error)) < 500


FRAGMENTS = [
    *("registries:", "api:", "credentials:", "defaults:", "images:", "name:", "zone:", "interval:"),
    *("\n", "\n  ", "\n    ", "\n- ", "\n  - ", " ", "- ", ": ", "? ", ", ", "[", "]", "{", "}"),
    *("&a ", "*a", "<<: *a", "!!int ", "!!bool ", "!!float ", "!!timestamp ", "!!set ", "!x "),
    *("mine", "app", "5", "-1", "1.10", "1:30", "0x_", "~", "on", "2024-01-02", "2024-13-45", "''"),
    *(
        "'",
        '"',
        '"\\ud800"',
        '"\\0"',
        "|\n  x",
        ">",
        "#",
        "%",
        "@",
        "`",
        "\t",
        "$",
        "${TEAM}",
        "${X}",
    ),
    *("---\n", "...\n", "%YAML 1.1\n", "\x85", "\u2028", "\ufeff", "é", "\0", "\ud800"),
]


@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=30).map("".join))
@example("a: &a [*a]")
@example("registries: [mine]")
def test_any_text_is_a_configuration_or_refused(text: str) -> None:
    assert isinstance(read(text), Config | ConfigError)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=5)
    | st.text(max_size=5)
    | st.sampled_from(["mine", "kr", "public", "30s", "all", "never", "https://a", "${TEAM}", "*"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)


def section(model: type[Any], **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mappings with the keys of `model`, of which any may hold anything."""
    keys = {f.name: ANYTHING for f in dataclasses.fields(model) if f.metadata}
    mapping = st.fixed_dictionaries({}, optional={**keys, **known})
    return mapping | ANYTHING


IMAGE = section(Settings, name=SCALARS) | SCALARS
REGISTRY = section(
    Settings,
    name=SCALARS,
    region=SCALARS,
    label=SCALARS,
    credentials=section(CredentialsConfig),
    images=st.lists(IMAGE, max_size=3) | ANYTHING,
)
FILE = st.fixed_dictionaries(
    {"registries": st.lists(REGISTRY, max_size=3) | ANYTHING},
    optional={
        "api": section(Api),
        "credentials": section(CredentialsConfig),
        "defaults": section(Settings),
    },
)


@given(FILE)
def test_any_value_under_any_key_is_read_or_refused(content: dict[str, Any]) -> None:
    assert isinstance(read(yaml.safe_dump(content)), Config | ConfigError)


@given(st.text("ab.:[]1%é-_\\@?#/ \n\t").map("https://".__add__))
@example("https://a?")
@example("https://a b")
@example("https://a\nb")
def test_a_base_url_that_is_accepted_can_be_asked(base_url: str) -> None:
    config = read(f"api: {{base_url: {json.dumps(base_url)}}}\n{IMAGES}")
    if isinstance(config, Config):
        url = httpx.URL(base_url).copy_with(raw_path=b"/path")
        assert url.raw_host
        assert not set(base_url) & set(" \n\t")
        assert url.raw_path == b"/path"


@pytest.mark.parametrize("name", ["\ud800", "a\udfff", "\0", "a\nb", "\U0001f600", "\x1b[0m"])
def test_a_name_that_is_accepted_can_be_asked_for_and_published(name: str) -> None:
    quoted = json.dumps(name)
    for text in (
        f"registries: [{{name: {quoted}, images: [app]}}]",
        f"registries: [{{name: mine, images: [{quoted}]}}]",
        f"registries: [{{name: mine, label: {quoted}, images: [app]}}]",
    ):
        config = read(text)
        if isinstance(config, Config):
            (target,) = named_images(config)
            for version in VERSIONS:
                gateway = gateway_of(config.api, "public", version)
                path = gateway.list_path("kr", target.registry.path.name, target.name)
                assert path.page(1, 100).isascii()
            for value in target.key:
                assert label_pair("name", value).encode()


# Secrets

CANARY = "S3cr3tC4nary"
CANARY_NUMBER = "98765432109876"
WITH_SECRETS = {
    "all is right": "credentials: {access_key: 'X', secret_key: 'X'}",
    "a proxy's password": "api: {proxy_url: 'http://me:X@proxy'}",
    "another key is wrong": "credentials: {access_key: 'X', secret_key: 'X', secretkey: 'X'}",
    "another section is wrong": "credentials: {access_key: 'X', secret_key: 'X'}\napi: {zone: a}",
    "wrong type": "credentials: {access_key: X, secret_key: X}",
    "a list": "credentials: {access_key: [X], secret_key: ['X']}",
    "a mapping": "credentials: {access_key: {X: X}, secret_key: {id: 'X'}}",
    "a proxy as a list": "api: {proxy_url: ['http://me:X@proxy']}",
    "two proxies": "api: {proxy_url: 'http://me:X@proxy', proxy_from_environment: true}",
    "bytes": "credentials: {access_key: !!binary X, secret_key: !!binary 'X'}",
    "half a pair": "credentials: {secret_key: 'X'}",
    "key and file": "credentials: {access_key: 'X', secret_key: 'X', secret_key_file: f}",
    "the same key twice": "credentials: {access_key: 'X', secret_key: 'X', secret_key: 'X'}",
    "of a registry": "registries: [{name: a, images: [], credentials: {secret_key: 'X'}}]",
    "in the wrong place": "secret_key: 'X'\napi: {secret_key: X}\ndefaults: {access_key: [X]}",
    "in the base URL": "api: {base_url: 'https://me:X@ncr.example'}",
    "in the base URL over http": "api: {base_url: 'http://X:X@ncr.example'}",
    "in a base URL without a scheme": "api: {base_url: 'me:X@ncr.example'}",
    "broken YAML behind": "credentials:\n  secret_key: X\n   access_key: X\n",
    "a tab behind": "credentials:\n  secret_key: X\n\taccess_key: X\n",
    "a quote left open": "credentials:\n  secret_key: 'X\n",
    "an unset variable beside": "credentials: {access_key: 'X', secret_key: 'X${UNSET}'}",
    "no section": "credentials: X",
    "no space behind the colons": "credentials:\n  access_key:id\n  secret_key:X\n",
    "no space behind a colon": "credentials: {access_key: id, secret_key:X }",
    "an equals sign": "credentials:\n  secret_key=X\n",
    "unquoted with a star": "credentials: {access_key: id, secret_key: *X }",
    "unquoted with an exclamation mark": "credentials: {access_key: id, secret_key: !X }",
    "unquoted with an ampersand": "credentials: {access_key: id, secret_key: &X }",
    "unquoted with a percent sign": "credentials: {access_key: id, secret_key: %X }",
    "unquoted with an at sign": "credentials: {access_key: id, secret_key: @X }",
}


@pytest.mark.parametrize("text", WITH_SECRETS.values(), ids=WITH_SECRETS)
def test_no_secret_shows_whatever_is_wrong_with_the_file(text: str) -> None:
    for secret in (CANARY, CANARY_NUMBER):
        written = text.replace("X", secret)
        outcome = read(written if "registries" in written else f"{written}\n{IMAGES}")
        shown = f"{outcome} {outcome!r}"
        if isinstance(outcome, ConfigError):
            shown += f"{outcome.problems} {outcome.args}"
            shown += "".join(traceback.format_exception(outcome))
        assert secret not in shown


def test_a_secret_shows_itself_in_no_form() -> None:
    secret = Secret(CANARY)
    assert secret.reveal() == CANARY
    shown = f"{secret} {secret!s} {secret!r} {secret:} {[secret]} {{}}" + "%s %r" % (secret, secret)  # noqa: UP031 -- of all ways, this one too
    assert CANARY not in shown
    assert str(secret) == "<secret>"
    assert not hasattr(secret, "__dict__")


def test_a_secret_is_not_pickled_copied_or_dumped() -> None:
    config = parse(f"credentials: {{access_key: a, secret_key: {CANARY}}}\n{IMAGES}", "F", {})
    for dump in (pickle.dumps, copy.deepcopy, dataclasses.asdict, json.dumps):
        with pytest.raises(TypeError) as caught:
            dump(config)
        assert CANARY not in str(caught.value)


def test_secrets_are_equal_by_what_they_hold() -> None:
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


@pytest.mark.parametrize(
    ("line", "section", "value"),
    [
        ("api: {page_size: '${MINUTES}'}", "api.page_size", 5),
        ("api: {proxy_from_environment: '${YES}'}", "api.proxy_from_environment", True),
        ("defaults: {tag_series: '${MINUTES}'}", "defaults.tag_series", 5),
        ("defaults: {interval: '${MINUTES}m'}", "defaults.interval", 300.0),
    ],
)
def test_a_number_may_come_from_the_environment(line: str, section: str, value: object) -> None:
    config: Any = parse(line + "\n" + IMAGES, "F", {"MINUTES": "5", "YES": "true"})
    for name in section.split("."):
        config = getattr(config, name)
    assert config == value
