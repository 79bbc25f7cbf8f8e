"""Names and globs of registries, images and tags: what cannot be one, and what to write. Pure.

Two measures. What is refused no registry can have: it is a reference, a URL, or something that the
shell, YAML or a word processor left in. What the vendor's rules of version 3 exclude is warned
about alone: version 2 states no rules. Names that the API sends are held to neither.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ncr_exporter.config.stray_signs import QUOTES, look_alike
from ncr_exporter.config.zones import region_of_host

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(
    r"(?:[^/]*\.)?ntruss\.com(?::\d+)?(?=/|$)|localhost(?::\d+)?(?=/)|[^/:]+:\d+(?=/)"
)
"""What can only be a host in front of an image. Mirrors name images `docker.io/library/nginx`."""
_LIKE_A_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}/")
_DIGEST = re.compile(r"@.*", re.DOTALL)
_TAG = re.compile(r":[^/:]*$")
_KEY_AND_NAME = re.compile(r"(?:name|image|registry):(?=[^/\s])")
_VARIABLE = re.compile(r"\$\w+")
_IMPOSSIBLE = re.compile(r"""[^\w./*-]""")
"""A sign that no name holds. Letters beyond ASCII may be: no rule of version 2 excludes them."""
_DOTS = {".", ".."}
"""Not usable as names: in a URL's path they mean another place (RFC 3986, section 5.2.4)."""

_SEGMENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"


@dataclass(frozen=True)
class NameRule:
    """What may name one kind of thing."""

    what: str
    """For messages, such as `an image's name`."""
    vendor: re.Pattern[str]
    """The vendor's rule of version 3."""
    vendor_words: str
    """The same rule in words."""
    longest: int
    """Characters."""

    def vendor_warning(self, name: str) -> str | None:
        """Return what the vendor's rule says against a name or glob, or None.

        A glob is measured by a name that it matches.
        """
        example = name.replace("*", "a")
        if self.vendor.fullmatch(example) and len(example) <= self.longest:
            return None
        lower = name.lower()
        fits = lower != name and self.vendor.fullmatch(lower.replace("*", "a"))
        better = f"; did you mean {lower!r}?" if fits else ""
        return f"{name!r} breaks the vendor's rule for {self.what}: {self.vendor_words}{better}"


REGISTRY = NameRule(
    "a registry's name",
    re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]"),
    "3 to 30 of a-z, 0-9 and -, a letter first, no - at the end",
    30,
)
IMAGE = NameRule(
    "an image's name",
    re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*"),
    "a-z and 0-9, with / . _ or - between them, 255 at most",
    255,
)
TAG = NameRule(
    "a tag's name",
    re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"),
    "letters, digits, . _ and -, neither . nor - first, 128 at most",
    128,
)

_Flaw = tuple[str, str]
"""What is wrong with a name, and the name without it."""


def registry_mistake(name: str) -> str | None:
    """Return why a registry cannot have this name, with what to write instead; None if it can."""
    if name == "*":
        return None
    host = _HOST.match(_SCHEME.sub("", name))
    if host and "ntruss.com" in host[0]:
        return _registry_of_host(name, host[0])
    found = _mistake(name, REGISTRY, (*_LEFT_IN, _scheme, _digest, _tag, _slashes, *_SIGNS))
    if found:
        return found
    if "/" in name:
        registry, _, image = name.partition("/")
        instead = f"write name: {registry}, and images: [{image}]"
        return f"{name!r} cannot be a registry's name: it holds a /; {instead}"
    return 'must be one name, or "*" for every registry' if "*" in name else None


def image_mistake(name: str) -> str | None:
    """Return why no image has this name, or matches this glob, with what to write; else None."""
    if IMAGE.vendor.fullmatch(name) and not _HOST.match(name):
        return None  # the usual case first: a configuration may name 10,000 images
    return _mistake(name, IMAGE, (*_LEFT_IN, *_REFERENCE, _folder, _slashes, *_SIGNS))


def tag_mistake(name: str) -> str | None:
    """Return why no tag has this name, or matches this glob, with what to write; else None."""
    return _mistake(name, TAG, (*_LEFT_IN, _of_image, *_SIGNS))


def looks_like_a_host(name: str) -> bool:
    """Return whether the first part of an image's name is more likely a host."""
    return _LIKE_A_HOST.match(name) is not None


def _mistake(
    name: str, rule: NameRule, flaws: tuple[Callable[[str], _Flaw | None], ...]
) -> str | None:
    """Return the first flaw of a name, with the name as it is without any of them."""
    written = _KEY_AND_NAME.match(name)
    if written:
        key = f"a blank is missing behind its colon; write {written[0]} {name[written.end() :]}"
        return f"{name!r} cannot be {rule.what}: {key}"
    first, rest = "", name
    for flaw in flaws:
        found = flaw(rest)
        if found:
            first, rest = first or found[0], found[1]
    if not first:
        return None
    usable = rest and not any(flaw(rest) for flaw in flaws)
    return f"{name!r} cannot be {rule.what}: {first}{f'; write {rest}' if usable else ''}"


def _registry_of_host(name: str, host: str) -> str:
    registry, region = host.partition(".")[0], region_of_host(host)
    reason = f"{name!r} cannot be a registry's name: it is a host"
    if region is None:
        return f"{reason}; write the name that the console shows"
    return f"{reason}; write name: {registry}, and region: {region}"


def _look_alike(name: str) -> _Flaw | None:
    stray = look_alike(name)
    clean = name.replace("\N{NO-BREAK SPACE}", " ").replace("\ufeff", "").strip()
    return (f"it has {stray}", clean) if stray else None


def _quotes(name: str) -> _Flaw | None:
    found = next((sign for sign in name if sign in QUOTES), None)
    if found is None:
        return None
    return f"it holds the quote {found}", name.strip().strip(QUOTES)


def _comma(name: str) -> _Flaw | None:
    found = next((sign for sign in name if sign in ",;"), None)
    if found is None:
        return None
    alone = name.rstrip(",; ")
    if found not in alone:
        return f"it ends in a {found}", alone
    return f"it holds a {found}; write a list with one name each", ""


def _blanks(name: str) -> _Flaw | None:
    if not re.search(r"\s", name):
        return None
    if " - " in name:
        return "it holds two entries of a list; begin each `- ` in the same column", ""
    return "it holds a blank", name.strip()


def _scheme(name: str) -> _Flaw | None:
    match = _SCHEME.match(name)
    return ("it begins with a scheme", name[match.end() :]) if match else None


def _host(name: str) -> _Flaw | None:
    match = _HOST.match(name)
    return ("it begins with a host", name[match.end() :].lstrip("/")) if match else None


def _digest(name: str) -> _Flaw | None:
    return ("it holds a digest", _DIGEST.sub("", name)) if "@" in name else None


def _tag(name: str) -> _Flaw | None:
    return ("it holds a tag", _TAG.sub("", name)) if _TAG.search(name) else None


def _of_image(name: str) -> _Flaw | None:
    """A tag with the image that it belongs to in front."""
    if "/" not in name and ":" not in name and "@" not in name:
        return None
    tag = name.rpartition(":")[2] if ":" in name and "@" not in name else ""
    return "it holds more than the tag", "" if "/" in tag else tag


def _folder(name: str) -> _Flaw | None:
    """A part of images' names, which a glob stands for."""
    ends = name.endswith("/") and not name.startswith("/")
    return ("it ends in a /", f"{name.rstrip('/')}/*") if ends else None


def _slashes(name: str) -> _Flaw | None:
    if name.startswith("/"):
        return "it begins with a /", name.strip("/")
    if name.endswith("/"):
        return "it ends in a /", name.rstrip("/")
    return ("it holds a part without a name", re.sub("/{2,}", "/", name)) if "//" in name else None


def _variable(name: str) -> _Flaw | None:
    match = _VARIABLE.search(name)
    return (f"write ${{{match[0][1:]}}} for the variable", "") if match else None


def _signs(name: str) -> _Flaw | None:
    match = _IMPOSSIBLE.search(name)
    if match is None:
        return None
    glob = "; the only wildcard is *" if match[0] in "?[]^|{}()+" else ""
    return f"it holds {match[0]}{glob}", ""


def _dots(name: str) -> _Flaw | None:
    return ("it means another place in a URL", "") if _DOTS & set(name.split("/")) else None


_LEFT_IN = (_look_alike, _quotes, _comma, _blanks)
"""What YAML or a word processor left in, before what a reference is made of."""
_REFERENCE = (_scheme, _host, _digest, _tag)
"""What a reference to an image has beside the image's name."""
_SIGNS = (_variable, _signs, _dots)


def own_registry_in(name: str, registry: str) -> Iterator[str]:
    """Yield a warning if an image's name begins with the name of its registry."""
    first, slash, rest = name.partition("/")
    if slash and first == registry and rest:
        yield (
            f"{name!r} begins with the registry's own name, which is no part of an image's name; "
            f"most likely it is {rest!r}"
        )
