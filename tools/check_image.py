#!/usr/bin/env python3
"""Build the image, run it as it should be run, and see that it keeps its promises.

With Docker where its engine answers, else with buildah and podman, as root. Where no image registry
can be reached, `--stand-in` first makes a base image of Debian's own Python with mmdebstrap: enough
to see that the image builds and runs; its size on the official base differs a little.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from ncr_exporter import __version__
from ncr_exporter.cli.main import COMMANDS
from tools.processes import free_port
from tools.waiting import answers, wait_until

ROOT = Path(__file__).resolve().parent.parent
NAME = "localhost/ncr-exporter:check"
USER = "65532:65532"
LARGEST = 120_000_000
"""Bytes of the image, unpacked."""
LONGEST_STOP = 5.0
"""Seconds from SIGTERM to the end."""
CONTAINED = (
    *("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=64m"),
    *("--network=host", "--no-healthcheck"),
)
STAND_IN = """\
FROM scratch
ADD rootfs.tar /
RUN rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && ln -s /usr/bin/python3 /usr/local/bin/python
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin
"""
# podman outside systemd: its own store, no cgroup manager to ask, limits that a sandbox allows.
STORE = ROOT / ".cache" / "containers"
PLACES = (f"--root={STORE}/store", f"--runroot={STORE}/run", "--storage-driver=vfs")
BUILDAH = ("buildah", *PLACES)
PODMAN = ("podman", *PLACES, "--cgroup-manager=cgroupfs", "--runtime=runc")
ULIMITS = ("--ulimit=nofile=1024:20000", "--ulimit=nproc=1000:1000")
BUILD = ("build", "--isolation=chroot", "--format=docker", "--layers")


class CheckError(Exception):
    """What the image does not keep; a sentence."""


def main() -> int:
    """Check everything, one line each; 1 where something failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stand-in", action="store_true", help="make the base image, too")
    parser.add_argument("--python", default="3.13", help="of the base image")
    parser.add_argument("--image", help="check this one, which is pulled, instead of a new one")
    arguments = parser.parse_args()
    try:
        image = Image(arguments.image or NAME, arguments.python)
        if arguments.stand_in:
            image.make_base()
        if arguments.image:
            image.pull()
        else:
            image.build()
        image.check()
    except (CheckError, TimeoutError) as error:
        say(f"FAILED: {error}")
        return 1
    return 0


class Image:
    """The image, and the engine that has it."""

    def __init__(self, name: str, python: str) -> None:
        """Find an engine."""
        self._name = name
        self._python = python
        self._docker = tells("docker", "info")
        if not self._docker and not (tells("buildah", "--version") and tells("runc", "--version")):
            raise CheckError("needs a Docker engine, or buildah, podman and runc")
        self._engine = ("docker",) if self._docker else PODMAN
        self._limits = () if self._docker else ULIMITS
        # The machine's own certificate authorities, for package indexes behind a proxy.
        certificates = ("-v", "/etc/ssl/certs:/etc/ssl/certs:ro")
        self._build = ("docker", "build") if self._docker else (*BUILDAH, *BUILD, *certificates)

    def make_base(self) -> None:
        """Make `python:…-slim` of a Debian with that Python."""
        if self._docker:
            raise CheckError("--stand-in is for buildah; Docker gets the official base")
        name = f"localhost/python:{self._python}-slim"
        if tells(*BUILDAH, "inspect", "--type=image", name):
            return
        suite = {"3.11": "bookworm", "3.13": "trixie"}[self._python]
        packages = "--include=python3,python3-venv,ca-certificates"
        with tempfile.TemporaryDirectory() as directory:
            tar = f"{directory}/rootfs.tar"
            asked("mmdebstrap", "--quiet", "--variant=minbase", packages, suite, tar)
            Path(directory, "Dockerfile").write_text(STAND_IN, encoding="utf-8")
            asked(*self._build, "-t", name, directory)
        say(f"base: a stand-in of Debian {suite}")

    def pull(self) -> None:
        """Get it from where its name says."""
        asked(*self._engine, "pull", self._name)

    def build(self) -> None:
        """Build it as `make image` does."""
        arguments = {"PYTHON_VERSION": self._python, "VERSION": __version__}
        words = [word for item in arguments.items() for word in ("--build-arg", "=".join(item))]
        asked(*self._build, *words, "-t", self._name, str(ROOT))

    def check(self) -> None:
        """See what it is, then run it."""
        described: dict[str, Any] = json.loads(
            asked(*self._engine, "image", "inspect", self._name)
        )[0]
        check(described["Size"] < LARGEST, f"size: {described['Size'] / 1e6:.1f} MB, unpacked")
        config = described["Config"]
        check(config["User"] == USER, f"user: {config['User']}")
        version = config["Labels"]["org.opencontainers.image.version"]
        check(version == __version__, f"version label: {version}")
        check(not self._has("sh"), "no shell in it")
        self._run()

    def _has(self, program: str) -> bool:
        words = ("run", "--rm", "--network=host", *self._limits, "--entrypoint", program)
        return tells(*self._engine, *words, self._name, "-c", "true")

    def _run(self) -> None:
        address = f"127.0.0.1:{free_port()}"
        with self._running("demo", f"--web.listen-address={address}") as name:
            started = time.monotonic()
            wait_until(lambda: answers(f"http://{address}/-/ready"))
            seconds = time.monotonic() - started
            check(condition=True, sentence=f"ready after {seconds:.1f} s, read-only, 64 MB")
            text = httpx.get(f"http://{address}/metrics", trust_env=False).text
            check("\nncr_image_up{" in text, "publishes images")
            resident = next(x for x in text.splitlines() if x.startswith("process_resident_m"))
            say(f"note: {float(resident.split()[1]) / 1e6:.0f} MB resident")
            if "health" in COMMANDS:
                words = ("ncr-exporter", "health", f"--web.listen-address={address}")
                check(tells(*self._engine, "exec", name, *words), "health says so, too")
            started = time.monotonic()
            asked(*self._engine, "stop", "-t", "10", name)
            seconds = time.monotonic() - started
            check(seconds < LONGEST_STOP, f"stopped {seconds:.1f} s after SIGTERM")
            state = asked(*self._engine, "inspect", "--format={{.State.ExitCode}}", name).strip()
            check(state == "0", f"exit code {state}")

    @contextmanager
    def _running(self, *arguments: str) -> Iterator[str]:
        name = f"ncr-exporter-check-{free_port()}"
        words = ("run", "--detach", f"--name={name}", *CONTAINED, *self._limits)
        asked(*self._engine, *words, self._name, *arguments)
        try:
            yield name
        finally:
            asked(*self._engine, "rm", "--force", name)


def check(condition: bool, sentence: str) -> None:  # noqa: FBT001 -- as assert takes it
    """Say what was seen, or raise it."""
    if not condition:
        raise CheckError(sentence)
    say(f"ok: {sentence}")


def asked(*command: str) -> str:
    """Return what a command prints; raises CheckError with its last words where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- no shell
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise CheckError(f"{command[0]} failed:\n{said}")
    return done.stdout


def tells(*command: str) -> bool:
    """Tell whether a command is there and succeeds."""
    try:
        return not subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603 -- no shell
    except FileNotFoundError:
        return False


def say(sentence: str) -> None:
    """Tell the person who ran this."""
    print(sentence, flush=True)  # noqa: T201 -- a command's answer


if __name__ == "__main__":
    sys.exit(main())
