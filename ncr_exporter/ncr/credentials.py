"""Sources of an account's key pair. Logs name the source, never the key."""

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from ncr_exporter.config import CredentialsConfig, Secret
from ncr_exporter.config.files import unreadable
from ncr_exporter.config.suggestions import did_you_mean
from ncr_exporter.ncr.keys import (
    Credentials,
    CredentialsError,
    KeyPair,
    check_characters,
    usable_key,
)
from ncr_exporter.ncr.server_role import ServerRole
from ncr_exporter.runtime.clock import Clock, SystemClock
from ncr_exporter.runtime.watched_files import WatchedFile

_CONFIGURE_KEYS = ("ncloud_access_key_id", "ncloud_secret_access_key")
_LIKE_A_KEY = re.compile(r"(?:NCLOUD|NCP|NCR|NAVER)_\w*(?:KEY|SECRET)\w*")
"""A variable that most likely is meant to hold a key."""
# The variables that the vendor's SDKs read, in their order.
_ACCESS_VARIABLES = ("NCLOUD_ACCESS_KEY_ID", "NCLOUD_ACCESS_KEY")
_SECRET_VARIABLES = ("NCLOUD_SECRET_ACCESS_KEY", "NCLOUD_SECRET_KEY")

log = structlog.get_logger()


class SecretFile:
    """A file that holds one secret, such as a mounted Secret; read again when it changes."""

    def __init__(self, path: Path, *, warns: bool = True) -> None:
        """`warns`: whether a file that every user of the host can read is logged."""
        self._file = WatchedFile(path)
        self._secret: Secret | None = None
        """None before the first read, and after one that failed."""
        self._warned = not warns

    def read(self) -> Secret:
        """Return the file's content without surrounding white space.

        Warns once in the log if every user of the host can read the file.

        Raises:
            CredentialsError: the file cannot be read, or is empty.
        """
        path = self._file.path
        if self._secret is not None and not self._file.changed():
            return self._secret
        self._secret = None
        try:
            secret = _content(self._file)
            self._warn_where_others_can_read(path.stat().st_mode)
        except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no valid path
            reason = "is not text" if _is_no_text(error) else unreadable(path, error)
            raise CredentialsError(f"{path} cannot be read: {reason}") from None
        self._secret = secret
        return secret

    def _warn_where_others_can_read(self, mode: int) -> None:
        if mode & stat.S_IROTH and not self._warned:
            self._warned = True
            log.warning(
                "secret file is readable by every user of this host",
                file=str(self._file.path),
                remedy="chmod o-r; of a Kubernetes secret set defaultMode: 0440",
            )


def _is_no_text(error: OSError | ValueError) -> bool:
    return isinstance(error, UnicodeDecodeError)


def _content(file: WatchedFile) -> Secret:
    text = file.read().decode("utf-8-sig").strip()  # editors of Windows write a byte order mark
    if not text:
        raise CredentialsError(f"{file.path} is empty; it must hold the key")
    return usable_key(text, str(file.path))


@dataclass(frozen=True)
class ConfiguredCredentials(Credentials):
    """A key pair in the configuration, or in files that it names."""

    access_key: Secret | SecretFile
    secret_key: Secret | SecretFile
    source: str = "configuration"

    def current(self) -> KeyPair:
        """Return the key pair; a file that changed is read again.

        Raises:
            CredentialsError: a file cannot be read, or holds no usable key.
        """
        return KeyPair(_secret(self.access_key), _secret(self.secret_key))


@dataclass(frozen=True)
class FixedCredentials(Credentials):
    """A key pair that does not change."""

    pair: KeyPair
    source: str

    def current(self) -> KeyPair:
        """Return the key pair."""
        return self.pair


def find_credentials(
    config: CredentialsConfig,
    directory: Path,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
) -> Credentials:
    """Return the source of an account's key pair.

    That is the configuration, else the environment, else `~/.ncloud/configure`; the last two as in
    the vendor's SDKs. The server's role is used only if the configuration names it.

    Args:
        config: the account's `credentials`.
        directory: relative paths in the configuration start here.
        environ: the environment's variables.
        clock: the clock that a key of the server's role expires by.

    Raises:
        CredentialsError: no source has a key pair, or the configured one cannot be used.
    """
    if config.source == "server_role":
        return ServerRole(environ, clock or SystemClock())
    access = _configured(config.access_key, config.access_key_file, directory)
    secret = _configured(config.secret_key, config.secret_key_file, directory)
    if access is not None and secret is not None:
        found = ConfiguredCredentials(access, secret)
        found.current()
        return found
    return _from_environment(environ) or _from_configure_file(environ)


def _configured(
    value: Secret | None, file: str | None, directory: Path, *, warns: bool = True
) -> Secret | SecretFile | None:
    if file is not None:
        return SecretFile(directory / file, warns=warns)
    return value


def _from_environment(environ: Mapping[str, str]) -> Credentials | None:
    access = next((name for name in _ACCESS_VARIABLES if environ.get(name)), None)
    secret = next((name for name in _SECRET_VARIABLES if environ.get(name)), None)
    if access is None or secret is None:
        return None
    keys = [usable_key(environ[name], f"the variable {name}") for name in (access, secret)]
    return FixedCredentials(KeyPair(*keys), "environment")


def _from_configure_file(environ: Mapping[str, str]) -> Credentials:
    """Return the key pair in the file of the vendor's command line tool: `key = value` lines."""
    path = Path(environ.get("HOME", "~")).expanduser() / ".ncloud" / "configure"
    found, flaw = _configure_values(path)
    names = [name for name in _CONFIGURE_KEYS if found.get(name)]
    if len(names) == len(_CONFIGURE_KEYS):
        return FixedCredentials(KeyPair(*(Secret(found[name]) for name in names)), str(path))
    if names and not flaw:
        (missing,) = set(_CONFIGURE_KEYS) - set(names)
        flaw = f"{path} has no {missing}"
    flaws = "".join(
        f"{each}{'' if each.endswith('?') else '.'} "
        for each in (*_half_set(environ), flaw)
        if each
    )
    setting = f"{'Set' if flaws else 'set'} {_ACCESS_VARIABLES[0]} and {_SECRET_VARIABLES[0]}"
    raise CredentialsError(
        f"no API key: {flaws}{setting} in the "
        f"environment, or credentials in the configuration, or write {path}"
    )


def _configure_values(path: Path) -> tuple[Mapping[str, str], str]:
    """Return the values in the vendor's file, and why it cannot be read though it is there."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}, ""
    except (OSError, ValueError) as error:
        reason = "it is not text" if _is_no_text(error) else unreadable(path, error)
        return {}, f"{path} cannot be read: {reason}"
    pairs = (line.partition("=") for line in lines)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}, ""


def _half_set(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield which variable is set without the other, and which is set under another name."""
    for names, others in (
        (_ACCESS_VARIABLES, _SECRET_VARIABLES),
        (_SECRET_VARIABLES, _ACCESS_VARIABLES),
    ):
        given = next((name for name in names if environ.get(name)), None)
        if given and not any(environ.get(name) for name in others):
            yield f"{given} is set, and {' or '.join(others)} is not"
    known = (*_ACCESS_VARIABLES, *_SECRET_VARIABLES)
    for name in environ:
        if name not in known and _LIKE_A_KEY.fullmatch(name):
            yield f"{name} is not read{did_you_mean(name, known)}"


def problems_of(
    config: CredentialsConfig, directory: Path, environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield what makes an account's `credentials` unusable: the key in it, and the problem.

    The key is empty where the problem is none of a single key. The arguments are those of
    `find_credentials`; nothing is logged, and the server's role is not asked for.
    """
    pair = {
        "access_key": (config.access_key, config.access_key_file),
        "secret_key": (config.secret_key, config.secret_key_file),
    }
    checks: dict[str, Callable[[], object]] = {}
    if config.source is None and all(map(any, pair.values())):
        for key, (value, file) in pair.items():
            found = _configured(value, file, directory, warns=False)
            checks[f"{key}_file" if file else key] = partial(_check, found, key.replace("_", " "))
    elif config.source is None:
        checks[""] = partial(find_credentials, config, directory, environ)
    for key, check in checks.items():
        try:
            check()
        except CredentialsError as error:
            yield key, str(error)


def _check(key: Secret | SecretFile | None, name: str) -> None:
    if key is not None:
        check_characters(usable_key(_secret(key).reveal(), f"the {name}"), name)


def _secret(value: Secret | SecretFile) -> Secret:
    return value.read() if isinstance(value, SecretFile) else value
