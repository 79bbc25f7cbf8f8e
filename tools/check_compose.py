"""Run the compose file on a Docker Engine, and see that `--wait` means what it says.

No port of the machine is taken: what the services answer is asked within their own network.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from tools.checking import CheckError, asked, check, say, succeeds
from tools.get_prometheus import find_alert_tools, find_tools
from tools.waiting import wait_until

FILE = Path(__file__).resolve().parents[1] / "deploy" / "compose" / "compose.yml"
PROJECT = "ncr-exporter-check"
PATIENCE = 180
"""Seconds for everything to be healthy, pulling not included."""
_UP = ("up", "--detach", "--no-build", "--wait")
# Debian's programs, where no image registry is reached: as the images have them.
_STAND_INS = {
    "prometheus": """\
FROM {base}
COPY prometheus promtool /bin/
RUN install -d -o 65534 /prometheus
USER 65534
ENTRYPOINT ["/bin/prometheus"]
""",
    "alertmanager": """\
FROM {base}
COPY prometheus-alertmanager amtool /bin/
COPY usr /usr
RUN install -d -o 65534 /alertmanager
USER 65534
WORKDIR /
ENTRYPOINT ["/bin/prometheus-alertmanager"]
""",
}


class Composition:
    """The services of the compose file, with an image of the exporter that is there already."""

    def __init__(self, image: str, stand_in_base: str | None) -> None:
        """Find docker compose; images of Debian's programs are made from `stand_in_base`."""
        self._compose = self._command()
        self._services: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))["services"]
        self._images = {"ncr-exporter": image}
        if stand_in_base:
            self._images |= _stand_ins(stand_in_base)
            for name in self._services.keys() - self._images.keys():
                say(f"note: {name} has no stand-in, and is left out")
                del self._services[name]

    @staticmethod
    def _command() -> tuple[str, ...]:
        if succeeds("docker", "compose", "version"):
            return ("docker", "compose")
        alone = Path(sys.executable).with_name("docker-compose")
        if not alone.exists():
            raise CheckError("needs docker compose: `make deploy-tools` gets it")
        return (str(alone),)

    def check(self) -> None:
        """Start everything and look at it; then start an exporter that cannot work."""
        with self._running({}) as compose:
            started = time.monotonic()
            asked(*compose, *_UP, f"--wait-timeout={PATIENCE}", *self._services)
            seconds = time.monotonic() - started
            states = [json.loads(line) for line in _lines(compose, "ps", "--all", "--format=json")]
            health = {each["Service"]: each["Health"] for each in states}
            check(
                health == dict.fromkeys(self._services, "healthy"),
                f"compose up --wait: {', '.join(health)} healthy after {seconds:.0f} s",
            )
            query = ("promtool", "query", "instant", "http://localhost:9090")
            seen = (*compose, "exec", "-T", "prometheus", *query, 'up{job="ncr-exporter"} == 1')
            wait_until(lambda: "=> 1" in asked(*seen), 60, every=1)
            say("ok: Prometheus scrapes the exporter")
        wrong = {"command": ["demo", "--no-such-flag"]}
        with self._running(wrong) as compose:
            succeeded = succeeds(*compose, *_UP, "--wait-timeout=20", "ncr-exporter")
            check(not succeeded, "compose up --wait fails where the exporter cannot start")

    @contextmanager
    def _running(self, of_exporter: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        """Give the command line of the composition, and remove all that it started in the end."""
        with ExitStack() as resources:
            directory = Path(resources.enter_context(tempfile.TemporaryDirectory()))
            override = directory / "override.yml"
            override.write_text(self._override(of_exporter), encoding="utf-8")
            files = (f"--file={FILE}", f"--file={override}")
            compose = (*self._compose, f"--project-name={PROJECT}", *files)
            resources.callback(asked, *compose, "down", "--volumes", "--timeout=5")
            yield compose

    def _override(self, of_exporter: Mapping[str, Any]) -> str:
        """Return a second compose file: no port of the machine, nothing built."""
        lines = ["services:"]
        for name in self._services:
            lines += [f"  {name}:", "    ports: !reset []"]
            if name in self._images:
                lines.append(f"    image: {self._images[name]}")
        exporter = {"build": "!reset null", **{k: json.dumps(v) for k, v in of_exporter.items()}}
        at = lines.index("  ncr-exporter:") + 1
        lines[at:at] = [f"    {key}: {value}" for key, value in exporter.items()]
        return "\n".join(lines) + "\n"


def _lines(compose: tuple[str, ...], *words: str) -> list[str]:
    return asked(*compose, *words).splitlines()


def _stand_ins(base: str) -> dict[str, str]:
    """Make an image of each of Debian's programs, and return its name by its service."""
    prometheus, alertmanager = find_tools(), find_alert_tools()
    if prometheus is None or alertmanager is None:
        raise CheckError("needs Debian's Prometheus and Alertmanager: `make prometheus` gets them")
    return {
        "prometheus": _stand_in("prometheus", base, prometheus.prometheus, prometheus.promtool),
        "alertmanager": _stand_in(
            "alertmanager", base, alertmanager.alertmanager, alertmanager.amtool
        ),
    }


def _stand_in(service: str, base: str, *programs: Path) -> str:
    name = f"localhost/ncr-exporter-check/{service}"
    with tempfile.TemporaryDirectory() as directory:
        for program in programs:
            shutil.copy(program, directory)
            if (data := program.parent / "usr").exists():
                shutil.copytree(data, Path(directory, "usr"), dirs_exist_ok=True)
        dockerfile = Path(directory, "Dockerfile")
        dockerfile.write_text(_STAND_INS[service].format(base=base), encoding="utf-8")
        asked("docker", "build", "--network=none", "-t", name, directory)
    return name
