"""The README, walked through as a newcomer does: its blocks in order, in real shells.

Where it can have a network namespace of its own, the ports are the printed ones, and nothing else
can be reached. Elsewhere free ports stand in for the printed ones.

`python -m tests.support.walkthrough FOLDER` prints the transcript of a walk in a checkout.
"""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.readme import ENGLISH, Readme, joined
from tools.processes import free_port

COLUMNS = 80
PORTS = ("10627", "10628")
ISOLATED = ("unshare", "--map-root-user", "--net", "--")
NOT_RUN = {
    "make test": "it is what runs this",
    "python3 -m venv .venv": "not for those who come from the demo; make check-package does it",
    "pip install .": "the same",
    "make image": "needs Docker: make check-image does it",
    "docker ": "needs Docker: make check-image and test_compose.py do it",
    "sudo ": "needs the right to give files away: make check-image reads such a file",
    "kubectl ": "needs a cluster: make check-cluster does it",
    "helm ": "needs a cluster: make check-cluster does it",
    "python3 -m venv /opt": "writes to /opt: test_systemd.py reads the units",
    "install ": "writes to /etc",
    "systemctl ": "needs systemd",
}
"""How a command begins → why the walk does not run it."""
ACTIVATE = ". .venv/bin/activate"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SECONDS = 90.0


class WalkError(Exception):
    """A command of the README failed, or said nothing for too long."""


class Terminal:
    """A shell whose output goes to a terminal of 80 columns. It gets one command at a time."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.text = ""
        self._screen, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        self._shell = subprocess.Popen(
            ["/bin/sh"],
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def run(self, command: str) -> str:
        """Run a command to its end and return what it printed; raise WalkError if it fails."""
        before = len(self.text)
        self._type(f'{command}\necho "<$?>"')
        self.wait_for(r"<\d+>\n", before)
        said, _, code = self.text[before:].rpartition("<")
        self.text = self.text[:before] + said
        if not code.startswith("0"):
            raise WalkError(f"{command}: exit code {code}{self.text}")
        return said

    def start(self, command: str, until: str) -> None:
        """Start a command that stays, and wait until its output matches a pattern."""
        before = len(self.text)
        self._type(command)
        self.wait_for(until, before)

    def wait_for(self, pattern: str, start: int = 0) -> str:
        """Read on until the output from `start` matches a pattern; return the match."""
        deadline = time.monotonic() + _SECONDS
        while (match := re.search(pattern, self.text[start:])) is None:
            ready, _, _ = select.select([self._screen], [], [], 1.0)
            if time.monotonic() > deadline or (ready and not self._read()):
                raise WalkError(f"no {pattern!r} in:\n{self.text[start:]}")
        return match[0]

    def interrupt(self) -> None:
        """Press Ctrl-C, and close the terminal when everything in it has ended."""
        os.killpg(self._shell.pid, signal.SIGINT)
        while self._read():
            pass
        self._shell.wait(timeout=20)

    def close(self) -> None:
        """End the shell, and whatever still runs in it."""
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, signal.SIGKILL)
            self._shell.wait()
        os.close(self._screen)

    def _type(self, command: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(f"{command}\n".encode())
        self._shell.stdin.flush()

    def _read(self) -> bool:
        """Read what is there; return False once nothing can write to the terminal any more."""
        try:
            data = os.read(self._screen, 65536)
        except OSError:  # EIO: the last one that had it open has ended
            return False
        self.text += _CONTROL.sub("", data.decode(errors="replace")).replace("\r\n", "\n")
        return bool(data)


class Walk:
    """Goes through the blocks of a README in a folder, and keeps the transcript."""

    def __init__(self, folder: Path, ports: Sequence[str] = PORTS) -> None:
        self.transcript: list[str] = []
        self._folder = folder
        self._ports = dict(zip(PORTS, ports, strict=True))
        self._environ = {
            key: value
            for key, value in os.environ.items()
            if key in {"PATH", "HOME", "LANG", "VENV"}
        }
        if tuple(ports) != PORTS:  # a demo that is started by make has no flag for its port
            self._environ["NCR_EXPORTER_WEB_LISTEN_ADDRESS"] = f"127.0.0.1:{ports[0]}"
        self._demo = self._terminal()
        self._second = self._terminal()
        self._account = self._terminal()

    def whole(self, readme: Readme) -> None:
        """Run each block in order; raise WalkError where one does not work.

        The first terminal has the demo, the second tries the commands on it. The third is that of
        a reader with an account, who stops before the first request.
        """
        try:
            for language, content in readme.blocks:
                if language == "yaml":
                    self._write(content)
                elif language == "sh":
                    for command in joined(content):
                        self._do(self._with_ports(command))
            self._demo.interrupt()
        finally:
            for terminal in (self._demo, self._second, self._account):
                terminal.close()

    def _terminal(self) -> Terminal:
        return Terminal(self._folder, self._environ)

    def _with_ports(self, command: str) -> str:
        for printed, used in self._ports.items():
            command = command.replace(printed, used)
        return command

    def _write(self, content: str) -> None:
        """Keep the configuration of the chain, the one without keys."""
        if content.startswith("registries:"):
            (self._folder / "ncr-exporter.yml").write_text(content, encoding="utf-8")
            self.transcript += ["", "# ncr-exporter.yml", *content.splitlines()]

    def _do(self, command: str) -> None:
        if why := next((why for start, why in NOT_RUN.items() if command.startswith(start)), ""):
            self.transcript += ["", f"# not run, {why}:", f"# {command}"]
        elif command == "make demo":
            self._demo.start(command, "Press Ctrl-C")
            self._demo.wait_for("first round done")
            self._show(1, command, self._demo.text)
        elif command.startswith("make demo "):
            self._outage(command)
        elif command == "ncr-exporter":
            self._serve(command)
        elif command.startswith("export NCLOUD_"):
            self._show(3, command, self._account.run(command))
        elif command in {ACTIVATE, "ncr-exporter check"}:
            self._show(2, command, self._second.run(command))
            self._show(3, command, self._account.run(command))
        else:
            self._show(2, command, self._second.run(command))

    def _outage(self, command: str) -> None:
        self._demo.interrupt()
        self._demo.close()
        self._demo = self._terminal()
        self._demo.start(command, "reason=throttled")
        asking = self._terminal()
        try:
            kept = asking.run(f"curl -s http://localhost:{self._ports[PORTS[0]]}/metrics")
        finally:
            asking.close()
        if 'ncr_image_tags{registry="demo-registry",image="api"}' not in kept:
            raise WalkError("the good values did not stay")
        self._show(1, command, self._demo.text)

    def _serve(self, command: str) -> None:
        before = len(self._second.text)
        self._second.start(command, "first round done")
        asking = self._terminal()
        try:
            text = asking.run(f"curl -s http://localhost:{self._ports[PORTS[1]]}/metrics")
        finally:
            asking.close()
        if 'ncr_image_up{registry="demo-registry",image="api"} 1' not in text:
            raise WalkError(f"{command} publishes nothing:\n{text[:2000]}")
        self._second.interrupt()
        self._show(2, command, self._second.text[before:])
        self._second.close()
        self._second = self._terminal()

    def _show(self, terminal: int, command: str, said: str) -> None:
        lines = [line.rpartition("\r")[2].rstrip() for line in said.splitlines()]
        shown = [line for line in lines if not line.startswith("polling ━")]
        self.transcript += ["", f"[{terminal}] $ {command}", *shown]


def main(argv: Sequence[str]) -> int:
    """Walk in the folder that is named, print the transcript, and return the exit code."""
    ports = PORTS
    if argv[1:] == ["--isolated"]:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: S607 -- Debian's
    else:
        ports = (str(free_port()), str(free_port()))
    walk = Walk(Path(argv[0]), ports)
    try:
        walk.whole(ENGLISH)
    except WalkError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        sys.stdout.write("\n".join([*walk.transcript, ""]).lstrip("\n"))
    return 0


def isolation() -> tuple[str, ...]:
    """Return the words before a command that runs it without a network; none if they fail."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return ()
    tried = subprocess.run(  # noqa: S603 -- fixed words
        [*ISOLATED, "ip", "link", "set", "lo", "up"], capture_output=True, check=False
    )
    return ISOLATED if tried.returncode == 0 else ()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
