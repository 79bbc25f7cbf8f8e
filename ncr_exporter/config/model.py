"""All options: each dataclass field is one key of the file, with its type, default and help text.

The reader, the refusal of unknown keys, the JSON Schema and the documents are derived from it.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from ncr_exporter.config import types
from ncr_exporter.config.secret import Secret
from ncr_exporter.config.yaml_tree import Problem
from ncr_exporter.config.zones import VERSIONS, ZONES

REQUIRED: Any = object()
"""The default of a key that must be given."""


def option(value_type: Any, default: Any, help_text: str) -> Any:  # noqa: ANN401 -- stands for a field of any type, as dataclasses.field does
    """Return the dataclass field of one key.

    Args:
        value_type: a `ValueType`, `ListOf`, `MapOf`, or a dataclass of options.
        default: the value where the key is left out; a class is called for it.
        help_text: for the documents and the JSON Schema.
    """
    metadata = {"type": value_type, "help": help_text, "required": default is REQUIRED}
    if isinstance(default, type):
        return field(default_factory=default, metadata=metadata)
    return field(default=None if default is REQUIRED else default, metadata=metadata)


@dataclass(frozen=True)
class CredentialsConfig:
    """An account's API key, or where it is found."""

    access_key: Secret | None = option(types.secret, None, "the access key id")
    access_key_file: str | None = option(types.text, None, "a file that holds it")
    secret_key: Secret | None = option(types.secret, None, "the secret key")
    secret_key_file: str | None = option(
        types.text, None, "a file that holds it; read again when it changes"
    )
    source: str | None = option(
        types.one_of("server_role"), None, "instead of keys: the role that this server was given"
    )


@dataclass(frozen=True)
class Api:
    """How the API is reached, per account and zone."""

    zone: str = option(types.one_of(*ZONES), "public", "the zone of the accounts")
    version: str = option(
        types.one_of(*VERSIONS), VERSIONS[0], "of the API; v3 is for the public zone alone"
    )
    base_url: str | None = option(
        types.text, None, "instead of the zone's host; with v3 of every region's host"
    )
    requests_per_second: float = option(
        types.number(0.01, 10_000), 5, "per account; its registries are asked in rotation"
    )
    max_concurrency: int = option(
        types.number(1, 256, whole=True), 8, "requests in flight, per account"
    )
    timeout: float = option(
        types.duration("10ms"), 30.0, "of a whole attempt, from connecting to the last byte"
    )
    page_size: int = option(types.number(1, 10_000, whole=True), 100, "records asked for per page")
    ca_file: str | None = option(types.text, None, "an extra bundle of certificate authorities")
    proxy_url: Secret | None = option(types.secret, None, "a proxy; may hold a password")
    proxy_from_environment: bool = option(
        types.boolean, default=False, help_text="use HTTPS_PROXY, NO_PROXY and similar variables"
    )


@dataclass(frozen=True)
class Settings:
    """The keys of `defaults`, which each registry and image may override."""

    interval: float = option(types.duration("1s"), 900.0, "between two polls of an image")
    stale_after: float = option(
        types.duration("1s", never=True),
        90 * 86400.0,
        "a tag neither pulled nor updated for this long is stale; `never` turns it off",
    )
    keep_recent: int = option(
        types.number(0, 1_000_000, whole=True),
        3,
        "this many of an image's most recently updated tags are never stale",
    )
    keep_tags: tuple[str, ...] = option(
        types.ListOf(types.tag_name), ("latest",), "globs of tags that are never stale"
    )
    ignore_tags: tuple[str, ...] = option(
        types.ListOf(types.tag_name),
        (),
        "globs of tags that count in tags and size and are otherwise not judged, as build caches",
    )
    immutable_tags: tuple[str, ...] = option(
        types.ListOf(types.tag_name),
        (),
        "globs of tags whose content must not change under the same name, as releases",
    )
    owner: str | None = option(
        types.text, None, "whose image it is: the label `owner` of ncr_image_info and of alerts"
    )
    tag_size_limit: int | None = option(types.size, None, "a tag larger than this is oversized")
    tags_limit: int | None = option(
        types.number(1, 1_000_000_000, whole=True), None, "more tags than this is too many"
    )
    tag_series: int | None = option(
        types.count_or_all,
        10,
        "per-tag series for at most this many tags by each criterion; or `all`",
    )
    tag_series_by: tuple[str, ...] = option(
        types.ListOf(types.one_of("updated", "idle", "size"), least=1),
        ("updated", "idle"),
        "newest, longest unused, largest; the union is published",
    )
    platform_series: bool = option(
        types.boolean, default=False, help_text="per-platform series for those tags"
    )
    relist_after: float | None = option(
        types.duration("1s"),
        None,
        "for at most this long an image's tags are not listed again while its entry in the image "
        "list is unchanged; omitted, they are listed at each poll",
    )
    expire_after: float | None = option(
        types.duration("3s"),
        None,
        "data older than this is no longer published; omitted, 24h or three intervals if longer",
    )


@dataclass(frozen=True)
class ImageConfig:
    """An entry of `images`: a name or glob, or a mapping with one and overrides."""

    name: str = option(types.image_name, REQUIRED, "the image's name, or a glob such as team-a/*")
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """The keys of `Settings` that this entry gives, with their values."""


@dataclass(frozen=True)
class RegistryConfig:
    """An entry of `registries`."""

    name: str = option(
        types.registry_name, REQUIRED, 'the registry\'s name; "*" is every one of the account'
    )
    region: str = option(
        types.text, "kr", "public: kr, sgn, jpn; government: kr, krs; financial: kr"
    )
    label: str | None = option(
        types.text,
        None,
        'the registry label\'s value, instead of its name; beside "*" that of the list itself',
    )
    credentials: CredentialsConfig | None = option(CredentialsConfig, None, "another account")
    images: tuple[ImageConfig, ...] | None = option(
        types.ListOf(ImageConfig, least=1), None, "the images to poll; omitted, every image"
    )
    exclude: tuple[str, ...] = option(
        types.ListOf(types.image_name), (), "globs of images to leave out; beats a glob in `images`"
    )
    zone: str | None = option(types.one_of(*ZONES), None, "another zone than api.zone")
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """The keys of `Settings` that this entry gives, with their values."""


@dataclass(frozen=True)
class Config:
    """The whole file."""

    api: Api = option(Api, Api, "how the API is reached")
    credentials: CredentialsConfig = option(
        CredentialsConfig, CredentialsConfig, "omitted: environment, then ~/.ncloud/configure"
    )
    defaults: Settings = option(Settings, Settings, "for every image")
    registries: tuple[RegistryConfig, ...] = option(
        types.ListOf(RegistryConfig, least=1), REQUIRED, "what to poll"
    )
    directory: Path = Path()
    """The file's directory: relative paths in it start here."""
    digest: str = ""
    """SHA-256 of the file, in hex."""
    redacted: str = ""
    """The file before `${VAR}` is expanded, each secret replaced by `<secret>`."""
    holds_secret: bool = False
    """Whether the file itself holds a secret."""
    source: str = field(default="", compare=False)
    """The path of the file, or what is there in its place, for messages."""
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
    """What is allowed and most likely a mistake."""


def own_options(model: type[Any]) -> dict[str, Field[Any]]:
    """Return the keys that a section declares itself, with their fields."""
    return {f.name: f for f in fields(model) if f.metadata}


def overridable(model: type[Any]) -> dict[str, Field[Any]]:
    """Return the keys of `Settings` if a section may override them, else none."""
    has_overrides = any(f.name == "overrides" for f in fields(model))
    return own_options(Settings) if has_overrides else {}


def options_of(model: type[Any]) -> dict[str, Field[Any]]:
    """Return all keys of a section, with their fields."""
    return own_options(model) | overridable(model)
