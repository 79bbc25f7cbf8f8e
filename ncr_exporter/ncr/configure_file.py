"""The key pair in `~/.ncloud/configure`, the file of the vendor's command line tool and SDKs."""

from pathlib import Path

from ncr_exporter.config.files import unreadable
from ncr_exporter.ncr.keys import Credentials, CredentialsError, KeyPair, usable_key
from ncr_exporter.runtime.watched_files import WatchedFile

PROFILE_VARIABLE = "NCLOUD_PROFILE"
"""The variable that chooses a profile, as for the vendor's command line tool."""
_DEFAULT = "DEFAULT"
_ACCESS_KEY, _SECRET_KEY = "ncloud_access_key_id", "ncloud_secret_access_key"

_Profiles = dict[str, dict[str, str]]
"""Profile → its keys and values. Lines above all profiles are of the one named DEFAULT."""


class NoKeyPairError(CredentialsError):
    """There is no key pair in the file, nor elsewhere; `flaw` says what is wrong with the file."""

    def __init__(self, path: Path | None, *flaws: str) -> None:
        """Say what is wrong, and what to write.

        Args:
            path: the file that could hold a key pair; None where there can be no such file.
            flaws: what was found in place of a key pair. The last is the file's, or empty.
        """
        self.flaw = flaws[-1] if flaws else ""
        found = "".join(f"{each}{'' if each.endswith('?') else '.'} " for each in flaws if each)
        super().__init__(
            f"no API key: {found}{'Set' if found else 'set'} NCLOUD_ACCESS_KEY_ID and "
            "NCLOUD_SECRET_ACCESS_KEY in the environment, or credentials in the configuration"
            f"{f', or write {path}' if path else ''}"
        )


class ConfigureFile(Credentials):
    """The key pair of one profile of the file; the file is read again when it changes."""

    def __init__(self, path: Path, profile: str = "") -> None:
        """Read the file.

        Args:
            path: the file: lines `key = value`, below lines `[PROFILE]` if it has several.
            profile: the profile to use. Empty for DEFAULT, or for the only one that there is.

        Raises:
            CredentialsError: the file has no such profile, or the profile no key pair.
        """
        self._file = WatchedFile(path)
        self._wanted = profile
        self._pair: KeyPair | None = None
        self.source = str(path)
        self.current()

    def current(self) -> KeyPair:
        """Return the key pair; a file that changed is read again.

        Raises:
            CredentialsError: the file has no key pair any more.
        """
        if self._pair is None or self._file.changed():
            self._pair = None
            self._pair = self._read()
        return self._pair

    def _read(self) -> KeyPair:
        profiles = self._profiles()
        name = self._chosen(profiles)
        values = profiles.get(name, {})
        is_plain = name == _DEFAULT and len(profiles) <= 1
        source = f"{self._file.path}" if is_plain else f"{self._file.path} [{name}]"
        for key in (_ACCESS_KEY, _SECRET_KEY):
            if not values.get(key):
                raise NoKeyPairError(self._file.path, f"{source} has no {key}")
        keys = [usable_key(values[key], f"{key} in {source}") for key in (_ACCESS_KEY, _SECRET_KEY)]
        self.source = source
        return KeyPair(*keys)

    def _profiles(self) -> _Profiles:
        """Return the profiles in the file.

        Raises:
            CredentialsError: there is no file, or it cannot be read.
        """
        path = self._file.path
        try:
            return _profiles(self._file.read().decode("utf-8-sig"))
        except (FileNotFoundError, NotADirectoryError):
            raise NoKeyPairError(path) from None
        except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no valid path
            is_binary = isinstance(error, UnicodeDecodeError)
            reason = "it is not text" if is_binary else unreadable(path, error)
            raise NoKeyPairError(path, f"{path} cannot be read: {reason}") from None

    def _chosen(self, profiles: _Profiles) -> str:
        """Return the name of the profile to use.

        Raises:
            CredentialsError: nothing says which of several it is, or there is none of that name.
        """
        name = self._wanted or _DEFAULT
        if name in profiles or not profiles:
            return name
        if not self._wanted and len(profiles) == 1:
            return next(iter(profiles))
        path, there = self._file.path, ", ".join(f"[{profile}]" for profile in profiles)
        flaw = f"{path} has no profile [{name}]; set {PROFILE_VARIABLE} to one of: {there}"
        raise NoKeyPairError(path, flaw)


def _profiles(text: str) -> _Profiles:
    """Return the profiles of a file that hold anything."""
    profiles: dict[str, dict[str, str]] = {}
    name = _DEFAULT
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            name = stripped[1:-1].strip()
            continue
        key, separator, value = stripped.partition("=")
        if separator:
            profiles.setdefault(name, {})[key.strip().lower()] = value.strip()
    return profiles
