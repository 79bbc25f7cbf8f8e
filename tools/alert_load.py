"""`python -m tools.alert_load`: how much the rules tell of a large account, in how many messages.

The dashboards' generated world is written into a real Prometheus with the rules of
deploy/prometheus, and a real Alertmanager with the example configuration says what it would send.
What takes a day or an hour takes seconds here: `for`, intervals and waits of groups are shorter.
"""

import argparse
import json
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tools.dashboards.world.images import Cast, large, small
from tools.dashboards.world.series import World
from tools.dashboards.world.writing import WorldWriter, write
from tools.get_prometheus import find_alert_tools, find_tools
from tools.processes import free_port, ready
from tools.waiting import wait_until

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
SIZES = {"small": small, "large": large}
HOURS = 2
"""How much of its past is written: what looks back at days is silent here."""
_FRESH = 120
"""Seconds that the world goes on after it was written, so that it is not stale when rules look."""
_SETTLED = 30.0
"""Seconds without another alert or message after which there are no more."""

Message = dict[str, Any]


class Inbox(BaseHTTPRequestHandler):
    """Receives what Alertmanager sends, whoever it is for."""

    messages: list[Message]

    def do_POST(self) -> None:
        """Keep a message."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.messages.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Say nothing."""


@contextmanager
def inbox() -> Iterator[tuple[str, list[Message]]]:
    """Serve a webhook; give its address and what it gets."""
    messages: list[Message] = []
    handler = type("KeptInbox", (Inbox,), {"messages": messages})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", messages
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def alertmanager(folder: Path, webhook: str) -> Iterator[str]:
    """Run it with the example configuration, whose receivers are a webhook; give its address."""
    tools = find_alert_tools()
    if tools is None:
        sys.exit("needs Alertmanager: make prometheus")
    for template in (DEPLOY / "alertmanager").glob("*.tmpl"):
        (folder / template.name).write_text(template.read_text())
    config = (DEPLOY / "alertmanager" / "alertmanager.yml").read_text()
    config = re.sub(r"(group_wait|group_interval): \w+", r"\1: 20s", config)
    file = folder / "alertmanager.yml"
    file.write_text(re.sub(r"http://\w+\.example", f"http://{webhook}", config))
    address = f"127.0.0.1:{free_port()}"
    words = (
        tools.alertmanager,
        f"--config.file={file}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    log, here = folder / "alertmanager.log", tools.alertmanager.parent
    with ready(*words, at=f"http://{address}/-/ready", log=log, cwd=here):
        yield address


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """Run it without rules, ready to be written into; give its address."""
    tools = find_tools()
    if tools is None:
        sys.exit("needs Prometheus: make prometheus")
    (folder / "prometheus.yml").write_text("{}")
    address = f"127.0.0.1:{free_port()}"
    words = (
        tools.prometheus,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--web.enable-lifecycle",
    )
    with ready(*words, at=f"http://{address}/-/ready", log=folder / "prometheus.log"):
        yield address


def load_rules(folder: Path, address: str, manager: str) -> None:
    """Let a running Prometheus begin with the rules: before, they would write what is newest."""
    config = {
        "global": {"evaluation_interval": "5s"},
        "rule_files": [str(path) for path in hurried(folder)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager]}]}]},
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    asked(address, "POST", "/-/reload")


def asked(address: str, method: str, path: str) -> bytes:
    """Return what a server of ours answers."""
    connection = HTTPConnection(address, timeout=60)
    connection.request(method, path)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status != HTTPStatus.OK:
        raise RuntimeError(f"{path}: {content.decode()}")
    return content


def hurried(folder: Path) -> Iterator[Path]:
    """Yield copies of the rules that wait for nothing; those of Kubernetes have nothing to say."""
    for path in sorted((DEPLOY / "prometheus" / "rules").glob("*.yml")):
        if path.stem == "ncr-kubernetes":
            continue
        text = re.sub(r"^( +for): \w+$", r"\1: 1s", path.read_text(), flags=re.MULTILINE)
        copy = folder / path.name
        copy.write_text(re.sub(r"^( +interval): \w+$", r"\1: 5s", text, flags=re.MULTILINE))
        yield copy


def firing(address: str) -> Counter[tuple[str, str]]:
    """Return how many alerts fire now, by severity and name."""
    query = urlencode({"query": 'count by (severity, alertname) (ALERTS{alertstate="firing"})'})
    found = json.loads(asked(address, "GET", f"/api/v1/query?{query}"))["data"]["result"]
    return Counter(
        {(x["metric"]["severity"], x["metric"]["alertname"]): int(x["value"][1]) for x in found}
    )


def measured(cast: Cast) -> tuple[Counter[tuple[str, str]], list[Message]]:
    """Return the alerts that fire in a world, and the messages about them."""
    with (
        tempfile.TemporaryDirectory() as name,
        inbox() as (webhook, messages),
        alertmanager(Path(name), webhook) as manager,
        prometheus(Path(name)) as address,
    ):
        end = (int(time.time()) + _FRESH) // 60 * 60
        write(f"http://{address}", HOURS, WorldWriter(World(cast, end, "ncr", "none")))
        load_rules(Path(name), address, manager)
        last: list[object] = [None, time.monotonic()]

        def is_settled() -> bool:
            told = (sum(firing(address).values()), len(messages))
            if told != last[0]:
                last[:] = [told, time.monotonic()]
            return all(told) and time.monotonic() - float(str(last[1])) > _SETTLED

        wait_until(is_settled, 300, every=2)
        return firing(address), list(messages)


def main() -> None:
    """Measure, and print a line for each kind of alert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="large")
    parser.add_argument("--no-owners", action="store_true", help="as if nobody had configured any")
    given = parser.parse_args()
    cast = SIZES[given.size]()
    if given.no_owners:
        cast = replace(cast, images=[replace(image, owner="") for image in cast.images])
    tags = sum(image.tags for image in cast.images)
    alerts, messages = measured(cast)
    lines = [f"{len(cast.registries)} registries, {len(cast.images)} images, {tags} tags"]
    lines += [
        f"{count:4} {severity:8} {name}" for (severity, name), count in sorted(alerts.items())
    ]
    lines += [f"{sum(alerts.values()):4} alerts in {len(messages)} messages"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
