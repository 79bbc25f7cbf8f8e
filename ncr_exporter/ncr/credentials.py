"""Sources of an account's key pair. Logs name the source, never the key."""

import asyncio
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from ncr_exporter.config import CredentialsConfig, Secret
from ncr_exporter.config.files import unreadable
from ncr_exporter.config.suggestions import did_you_mean
from ncr_exporter.ncr.configure_file import PROFILE_VARIABLE, ConfigureFile, NoKeyPairError
from ncr_exporter.ncr.keys import (
    Credentials,
    CredentialsError,
    KeyPair,
    usable_key,
)
from ncr_exporter.ncr.server_role import ServerRole
from ncr_exporter.runtime.clock import Clock, SystemClock
from ncr_exporter.runtime.timely import timely, timely_async
from ncr_exporter.runtime.watched_files import WatchedFile

_LIKE_A_KEY = re.compile(r"(?:NCLOUD|NCP|NCR|NAVER)_\w*(?:KEY|SECRET)\w*")
"""A variable that most likely is meant to hold a key."""
# The variables that the vendor's SDKs read, in their order.
_ACCESS_VARIABLES = ("NCLOUD_ACCESS_KEY_ID", "NCLOUD_ACCESS_KEY")
_SECRET_VARIABLES = ("NCLOUD_SECRET_ACCESS_KEY", "NCLOUD_SECRET_KEY")
_LOOK_INTERVAL = 1.0
"""Seconds between two looks at a file."""

log = structlog.get_logger()


class SecretFile:
    """A file that holds one secret, such as a mounted Secret; read again when it changes."""

    def __init__(self, path: Path, *, warns: bool = True) -> None:
        """`warns`: whether a file that every user of the host can read is logged."""
        self._file = WatchedFile(path)
        self._secret: Secret | None = None
        """None before the first read, and after one that failed."""
        self._warned = not warns
        self._refresh: asyncio.Task[None] | None = None
        self._look_at = float("-inf")
        """When the file is looked at again (monotonic seconds)."""

    def read(self) -> Secret:
        """Return the file's content without surrounding white space; blocks for 5 s at most.

        Warns once in the log if every user of the host can read the file.

        Raises:
            CredentialsError: the file cannot be read, or is empty.
        """
        with self._errors_for_people():
            return timely(self._file.path, self._read_if_changed)

    async def refresh(self) -> None:
        """Read the file again if it changed, as `read` does, in a thread.

        It looks at the file once a second at most: while the event loop is busy, a thread may wait
        for the interpreter for longer than a request takes. All who call it while the file is being
        read share that reading: a file that hangs holds one thread, and each of them for 5 s.

        Raises:
            CredentialsError: the file cannot be read, or is empty.
        """
        if self._refresh is None:
            if self._secret is not None and time.monotonic() < self._look_at:
                return
            self._look_at = time.monotonic() + _LOOK_INTERVAL
            self._refresh = asyncio.create_task(self._read_in_thread())
            self._refresh.add_done_callback(self._end_refresh)
        await asyncio.shield(self._refresh)

    async def _read_in_thread(self) -> None:
        with self._errors_for_people():
            await timely_async(self._file.path, self._read_if_changed)

    def _end_refresh(self, refresh: asyncio.Task[None]) -> None:
        self._refresh = None
        if not refresh.cancelled():
            refresh.exception()  # seen, also if all who waited are gone

    def look_again(self) -> None:
        """Look at the file at the next `refresh`, however soon that is."""
        self._look_at = float("-inf")

    def current(self) -> Secret:
        """Return the secret that was read last.

        Raises:
            CredentialsError: there is none: it was not read, or the last attempt failed.
        """
        if self._secret is None:
            raise CredentialsError(f"{self._file.path} was not read")
        return self._secret

    @contextmanager
    def _errors_for_people(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no valid path
            self._secret = None
            reason = "is not text" if _is_no_text(error) else unreadable(self._file.path, error)
            raise CredentialsError(f"{self._file.path} cannot be read: {reason}") from None

    def _read_if_changed(self) -> Secret:
        if self._secret is not None and not self._file.changed():
            return self._secret
        self._secret = None
        self._secret = _content(self._file)
        self._warn_where_others_can_read(self._file.path.stat().st_mode)
        return self._secret

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

    def read(self) -> KeyPair:
        """Return the key pair; a file that changed is read again, which blocks for 5 s at most.

        Raises:
            CredentialsError: a file cannot be read, or holds no usable key.
        """
        return KeyPair(
            *(each.read() if isinstance(each, SecretFile) else each for each in self._keys)
        )

    async def refresh(self) -> None:
        """Read a file that changed again, in a thread.

        Raises:
            CredentialsError: a file cannot be read.
        """
        for each in self._keys:
            if isinstance(each, SecretFile):
                await each.refresh()

    def record_refusal(self) -> None:
        """Look at the files again at the next `refresh`: the key may have been rotated."""
        for each in self._keys:
            if isinstance(each, SecretFile):
                each.look_again()

    def current(self) -> KeyPair:
        """Return the key pair that was read last.

        Raises:
            CredentialsError: a file could not be read, or holds no usable key.
        """
        return KeyPair(
            *(each.current() if isinstance(each, SecretFile) else each for each in self._keys)
        )

    @property
    def _keys(self) -> tuple[Secret | SecretFile, Secret | SecretFile]:
        return self.access_key, self.secret_key


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
    the vendor's SDKs. Of that file the profile DEFAULT is used, or the one that NCLOUD_PROFILE
    names. The server's role is used only if the configuration names it.

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
        found.read()
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
    path = _configure_path(environ)
    if path is None:
        homeless = "HOME is not set and this user has no home directory, so no file is looked for"
        raise NoKeyPairError(None, *_flaws(environ), homeless)
    try:
        return ConfigureFile(path, environ.get(PROFILE_VARIABLE, "").strip())
    except NoKeyPairError as error:
        raise NoKeyPairError(path, *_flaws(environ), error.flaw) from None


def _configure_path(environ: Mapping[str, str]) -> Path | None:
    """Return the path of the vendor's file; None where a container's user has no home."""
    try:
        return Path(environ.get("HOME") or "~").expanduser() / ".ncloud" / "configure"
    except RuntimeError:
        return None


def _flaws(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield why the variables hold no key pair: one is alone, empty, or has another name."""
    known = (*_ACCESS_VARIABLES, *_SECRET_VARIABLES)
    given = [name for name in known if environ.get(name)]
    empty = [name for name in known if environ.get(name) == ""]
    if given:
        others = _SECRET_VARIABLES if given[0] in _ACCESS_VARIABLES else _ACCESS_VARIABLES
        empty = [name for name in empty if name in others]
        lacks = f"{empty[0]} is empty" if empty else f"{' or '.join(others)} is not"
        yield f"{given[0]} is set, and {lacks}"
    elif empty:
        yield f"{' and '.join(empty)} {'are' if len(empty) > 1 else 'is'} empty"
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
            name = f"the {key.replace('_', ' ')}"
            checks[f"{key}_file" if file else key] = partial(_checked, found, name)
    elif config.source is None:
        checks[""] = partial(find_credentials, config, directory, environ)
    for key, check in checks.items():
        try:
            check()
        except CredentialsError as error:
            yield key, str(error)


def _checked(key: Secret | SecretFile | None, name: str) -> Secret | None:
    if isinstance(key, SecretFile):
        return key.read()
    return key and usable_key(key.reveal(), name)
