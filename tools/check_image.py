#!/usr/bin/env python3
"""Build the image, run it as it should be run, and see that it keeps its promises.

With Docker where its engine answers, and then the compose file with it; else with buildah and
podman, as root. Where no image registry can be reached, `--stand-in` first makes a base image of
Debian's own Python with mmdebstrap, and images of Debian's Prometheus and Alertmanager: enough to
see that everything builds and runs; the size on the official base differs a little.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from ncr_exporter import __version__
from ncr_exporter.cli.main import COMMANDS
from tools.check_compose import FILE as COMPOSE_FILE
from tools.check_compose import Composition
from tools.checking import CheckError, asked, check, say, succeeds
from tools.processes import free_port
from tools.waiting import answers, wait_until

ROOT = Path(__file__).resolve().parent.parent
NAME = "localhost/ncr-exporter:check"
USER = "65532:65532"
LARGEST = 120_000_000
"""Bytes of the image, unpacked."""
LONGEST_STOP = 5.0
"""Seconds from SIGTERM to the end."""
SERVICES = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["services"]
MEMORY: str = SERVICES["ncr-exporter"]["mem_limit"]
CONTAINED = (
    *("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", f"--memory={MEMORY}"),
    *("--network=host", "--no-healthcheck"),
)
IMAGES, TAGS = 1_020, 100
"""An account that 64 MB are too little for: the exporter was killed while it polled."""
STAND_IN = """\
FROM scratch
ADD rootfs.tar /
COPY ca-certificates.crt /etc/ssl/certs/
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


def main() -> int:
    """Check everything, one line each; 1 where something failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stand-in", action="store_true", help="make the base image, too")
    parser.add_argument("--python", default="3.13", help="of the base image")
    parser.add_argument(
        "--image", help="check this one instead of a new one; pulled where the engine lacks it"
    )
    parser.add_argument("--build-only", action="store_true", help="build it, and run nothing")
    arguments = parser.parse_args()
    try:
        image = Image(arguments.image or NAME, arguments.python)
        if arguments.stand_in:
            image.make_base()
        if arguments.image:
            image.pull()
        else:
            image.build()
        if not arguments.build_only:
            image.check()
            image.check_composed(stand_ins=arguments.stand_in)
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
        self._docker = succeeds("docker", "info")
        if not self._docker and not (
            succeeds("buildah", "--version") and succeeds("runc", "--version")
        ):
            raise CheckError("needs a Docker engine, or buildah, podman and runc")
        self._engine = ("docker",) if self._docker else PODMAN
        self._limits = () if self._docker else ULIMITS
        # The machine's own certificate authorities, for package indexes behind a proxy.
        certificates = ("-v", "/etc/ssl/certs:/etc/ssl/certs:ro")
        self._build = ("docker", "build") if self._docker else (*BUILDAH, *BUILD, *certificates)
        self._base = f"python:{python}-slim" if self._docker else f"localhost/python:{python}-slim"

    def make_base(self) -> None:
        """Make `python:…-slim` of a Debian with that Python, where there is none."""
        known = ("docker", "image") if self._docker else BUILDAH
        if self._docker:  # an engine without a bridge builds in the machine's network
            self._build = (*self._build, "--network=host")
        if succeeds(*known, "inspect", *([] if self._docker else ["--type=image"]), self._base):
            return
        suite = {"3.11": "bookworm", "3.13": "trixie"}[self._python]
        packages = "--include=python3,python3-venv,ca-certificates"
        with tempfile.TemporaryDirectory() as directory:
            tar = f"{directory}/rootfs.tar"
            asked("mmdebstrap", "--quiet", "--variant=minbase", packages, suite, tar)
            shutil.copy("/etc/ssl/certs/ca-certificates.crt", directory)
            Path(directory, "Dockerfile").write_text(STAND_IN, encoding="utf-8")
            asked(*self._build, "-t", self._base, directory)
        say(f"base: a stand-in of Debian {suite}")

    def pull(self) -> None:
        """Get it from where its name says."""
        if not succeeds(*self._engine, "image", "inspect", self._name):
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
        self._run_large()

    def check_composed(self, *, stand_ins: bool) -> None:
        """Run the compose file with it, where the engine is Docker's."""
        if not self._docker:
            say("note: the compose file was not run, since it needs a Docker engine")
            return
        Composition(self._name, self._base if stand_ins else None).check()

    def _has(self, program: str) -> bool:
        words = ("run", "--rm", "--network=host", *self._limits, "--entrypoint", program)
        return succeeds(*self._engine, *words, self._name, "-c", "true")

    def _run(self) -> None:
        address = f"127.0.0.1:{free_port()}"
        url = f"http://{address}"
        with self._running("demo", f"--web.listen-address={address}") as name:
            started = time.monotonic()
            wait_until(lambda: answers(f"{url}/-/ready"))
            seconds = time.monotonic() - started
            say(f"ok: ready after {seconds:.1f} s, read-only, with {MEMORY}")
            text = metrics(url)
            check("\nncr_image_up{" in text, f"publishes images; {resident(text)}")
            if "health" in COMMANDS:
                words = ("ncr-exporter", "health", f"--web.listen-address={address}")
                check(succeeds(*self._engine, "exec", name, *words), "health says so, too")
            started = time.monotonic()
            asked(*self._engine, "stop", "-t", "10", name)
            seconds = time.monotonic() - started
            check(seconds < LONGEST_STOP, f"stopped {seconds:.1f} s after SIGTERM")
            state = asked(*self._engine, "inspect", "--format={{.State.ExitCode}}", name).strip()
            check(state == "0", f"exit code {state}")

    def _run_large(self) -> None:
        address = f"127.0.0.1:{free_port()}"
        url = f"http://{address}"
        with ExitStack() as resources:
            api = resources.enter_context(simulated_api(IMAGES, TAGS))
            directory = resources.enter_context(tempfile.TemporaryDirectory())
            Path(directory).chmod(0o755)
            content = {
                "api": {"base_url": api, "requests_per_second": 200},
                "credentials": {"access_key": "made-up", "secret_key": "made-up"},
                "registries": ["bench"],
            }
            Path(directory, "ncr-exporter.yml").write_text(json.dumps(content), encoding="utf-8")
            mount = ("-v", f"{directory}:/etc/ncr-exporter:ro")
            flag = f"--web.listen-address={address}"
            resources.enter_context(self._running(flag, engine_options=mount))
            wait_until(lambda: answers(f"{url}/-/ready"), 120)
            text = metrics(url)
        count = text.count("\nncr_image_up{")
        check(count == IMAGES, f"{count} images of {TAGS} tags with {MEMORY}: {resident(text)}")

    @contextmanager
    def _running(self, *arguments: str, engine_options: Sequence[str] = ()) -> Iterator[str]:
        name = f"ncr-exporter-check-{free_port()}"
        words = ("run", "--detach", f"--name={name}", *CONTAINED, *self._limits, *engine_options)
        asked(*self._engine, *words, self._name, *arguments)
        try:
            yield name
        finally:
            asked(*self._engine, "rm", "--force", name)


@contextmanager
def simulated_api(images: int, tags: int) -> Iterator[str]:
    """Give the base URL of a registry with many images, in a process of its own."""
    counts = (f"--images={images}", f"--tags={tags}", "--latency=0.01")
    command = (sys.executable, "-m", "bench.registry", *counts)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- no shell
    with process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            check(port.isdecimal(), f"a registry of {images} images of {tags} tags answers")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def metrics(url: str) -> str:
    """Return what an exporter publishes, as text."""
    return httpx.get(f"{url}/metrics", trust_env=False, timeout=30).text


def resident(text: str) -> str:
    """Return the resident memory of the exporter that published this."""
    line = next(x for x in text.splitlines() if x.startswith("process_resident_m"))
    return f"{float(line.split()[1]) / 2**20:.0f} MiB resident"


if __name__ == "__main__":
    sys.exit(main())
