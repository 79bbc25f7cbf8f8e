"""THE table of options: each dataclass field is one key of the file, with kind, default and help.

Reading, the refusal of unknown keys, and everything generated from the options derive from it.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from ncr_exporter.config import types as kinds
from ncr_exporter.config.secret import Secret
from ncr_exporter.config.zones import ZONES

REQUIRED: Any = object()
"""The default of a key that must be given."""


def option(kind: Any, default: Any, help_text: str) -> Any:  # noqa: ANN401 -- stands for a field of any type, as dataclasses.field does
    """Declare one key: `kind` is a `kinds.Kind`, a `kinds.ListOf` or a dataclass of options."""
    metadata = {"kind": kind, "help": help_text, "required": default is REQUIRED}
    if isinstance(default, type):
        return field(default_factory=default, metadata=metadata)
    return field(default=None if default is REQUIRED else default, metadata=metadata)


@dataclass(frozen=True)
class CredentialsConfig:
    """One account's API key, in the file or in files of their own."""

    access_key: Secret | None = option(kinds.secret, None, "the access key id")
    access_key_file: str | None = option(kinds.text, None, "a file that holds it")
    secret_key: Secret | None = option(kinds.secret, None, "the secret key")
    secret_key_file: str | None = option(
        kinds.text, None, "a file that holds it; read again when it changes"
    )
    source: str | None = option(
        kinds.one_of("server_role"), None, "instead of keys: the role that this server was given"
    )


@dataclass(frozen=True)
class Api:
    """How the API is reached, per account and zone."""

    zone: str = option(kinds.one_of(*ZONES), "public", "the zone of the accounts")
    base_url: str | None = option(kinds.text, None, "instead of the zone's host")
    requests_per_second: float = option(
        kinds.number(0.01, 10_000), 5, "per account; its registries take turns"
    )
    max_concurrency: int = option(
        kinds.number(1, 256, whole=True), 8, "requests in flight, per account"
    )
    timeout: float = option(
        kinds.duration("10ms"), 30.0, "of a whole attempt, from connecting to the last byte"
    )
    page_size: int = option(kinds.number(1, 10_000, whole=True), 100, "records asked for per page")
    ca_file: str | None = option(kinds.text, None, "an extra bundle of certificate authorities")
    proxy_url: Secret | None = option(kinds.secret, None, "a proxy; may hold a password")
    proxy_from_environment: bool = option(
        kinds.boolean, default=False, help_text="use HTTPS_PROXY, NO_PROXY and their like"
    )


@dataclass(frozen=True)
class Settings:
    """What may be set in `defaults` and overridden per registry and per image."""

    interval: float = option(kinds.duration("1s"), 900.0, "between two polls of an image")
    stale_after: float = option(
        kinds.duration("1s", never=True),
        90 * 86400.0,
        "a tag neither pulled nor updated for this long is stale; `never` turns it off",
    )
    keep_recent: int = option(
        kinds.number(0, 1_000_000, whole=True),
        3,
        "so many of the most recently updated tags of an image are never stale",
    )
    keep_tags: tuple[str, ...] = option(
        kinds.ListOf(kinds.text), ("latest",), "globs of tags that are never stale"
    )
    ignore_tags: tuple[str, ...] = option(
        kinds.ListOf(kinds.text),
        (),
        "globs of tags that count in tags and size and are otherwise not judged, as build caches",
    )
    immutable_tags: tuple[str, ...] = option(
        kinds.ListOf(kinds.text),
        (),
        "globs of tags whose content must not change under the same name, as releases",
    )
    owner: str | None = option(
        kinds.text, None, "whose image it is: the label `owner` of ncr_image_info and of alerts"
    )
    tag_size_limit: int | None = option(kinds.size, None, "a tag larger than this is oversized")
    tags_limit: int | None = option(
        kinds.number(1, 1_000_000_000, whole=True), None, "more tags than this is too many"
    )
    tag_series: int | None = option(
        kinds.count_or_all, 10, "per-tag series for so many tags by each criterion; 0 none, all"
    )
    tag_series_by: tuple[str, ...] = option(
        kinds.ListOf(kinds.one_of("updated", "idle", "size"), least=1),
        ("updated", "idle"),
        "newest, longest unused, largest; the union is published",
    )
    platform_series: bool = option(
        kinds.boolean, default=False, help_text="per-platform series for those tags"
    )
    expire_after: float | None = option(
        kinds.duration("3s"),
        None,
        "data older than this is no longer published; omitted, 24h or three intervals if longer",
    )


@dataclass(frozen=True)
class ImageConfig:
    """An entry of `images`: a name or glob, or a mapping with one and overrides."""

    name: str = option(kinds.text, REQUIRED, "the image's name, or a glob such as team-a/*")
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """The keys of `Settings` that stand in this entry."""


@dataclass(frozen=True)
class RegistryConfig:
    """An entry of `registries`."""

    name: str = option(
        kinds.text, REQUIRED, 'the registry\'s name; "*" is every one of the account'
    )
    region: str = option(
        kinds.text, "kr", "public: kr, sgn, jpn; government: kr, krs; financial: kr"
    )
    label: str | None = option(
        kinds.text,
        None,
        'the registry label\'s value, instead of its name; beside "*" that of the list itself',
    )
    credentials: CredentialsConfig | None = option(CredentialsConfig, None, "another account")
    images: tuple[ImageConfig, ...] | None = option(
        kinds.ListOf(ImageConfig, least=1), None, "the images to poll; omitted, every image"
    )
    exclude: tuple[str, ...] = option(
        kinds.ListOf(kinds.text), (), "globs of images to leave out; beats a glob in `images`"
    )
    zone: str | None = option(kinds.one_of(*ZONES), None, "another zone than api.zone")
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """The keys of `Settings` that stand in this entry."""


@dataclass(frozen=True)
class Config:
    """The whole file."""

    api: Api = option(Api, Api, "how the API is reached")
    credentials: CredentialsConfig = option(
        CredentialsConfig, CredentialsConfig, "omitted: environment, then ~/.ncloud/configure"
    )
    defaults: Settings = option(Settings, Settings, "for every image")
    registries: tuple[RegistryConfig, ...] = option(
        kinds.ListOf(RegistryConfig, least=1), REQUIRED, "what to poll"
    )
    directory: Path = Path()
    """Where the file lies: relative paths in it start here."""
    digest: str = ""
    """SHA-256 of the file, in hex."""
    redacted: str = ""
    """The file as written, every secret masked."""
    holds_secret: bool = False
    """Whether a secret stands in the file itself."""


def own_options(model: type[Any]) -> dict[str, Field[Any]]:
    """Return the keys that are a section's own."""
    return {f.name: f for f in fields(model) if f.metadata}


def overridable(model: type[Any]) -> dict[str, Field[Any]]:
    """Return the keys of `Settings`, where a section may override them."""
    has_overrides = any(f.name == "overrides" for f in fields(model))
    return own_options(Settings) if has_overrides else {}


def options_of(model: type[Any]) -> dict[str, Field[Any]]:
    """Return all keys of a section."""
    return own_options(model) | overridable(model)
