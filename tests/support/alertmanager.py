"""A real Alertmanager for the tests, with the project's own example of a configuration."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tools.get_prometheus import AlertTools
from tools.processes import free_port, ready

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "alertmanager" / "alertmanager.yml"


def hurried(config: str, webhook: str) -> str:
    """The example, but waiting for nothing and telling a test's webhook (`host:port`).

    Each receiver keeps its path: `/ncr`, `/team-a`, `/ncr-housekeeping`.
    The pager's becomes `/pager`.
    """
    config = re.sub(r"(group_wait|group_interval): \w+", r"\1: 1s", config)
    config = config.replace("http://pager.example/ncr", f"http://{webhook}/pager")
    return config.replace("http://chat.example/", f"http://{webhook}/")


def in_korean(config: str, webhook: str) -> str:
    """The example, but its team reads Korean texts in chat: the lines that are commented out."""
    own = "    webhook_configs:\n      - url: http://chat.example/ncr\n"
    assert own in config
    config = re.sub(
        r"^    # (slack_configs:|  )", r"    \1", config.replace(own, ""), flags=re.MULTILINE
    )
    return config.replace("api_url_file: /run/secrets/slack-url", f"api_url: http://{webhook}/chat")


class Alertmanager:
    """One that runs."""

    def __init__(self, address: str, http: httpx.Client) -> None:
        self.address = address
        self._http = http

    def suppressed(self) -> dict[str, list[str]]:
        """The names of alerts that others inhibit now, and the fingerprints of those."""
        alerts: list[dict[str, Any]] = self._http.get("/api/v2/alerts").json()
        inhibited = [alert for alert in alerts if alert["status"]["inhibitedBy"]]
        return {alert["labels"]["alertname"]: alert["status"]["inhibitedBy"] for alert in inhibited}

    def silences(self) -> list[dict[str, Any]]:
        """Every silence, as its API describes them."""
        found: list[dict[str, Any]] = self._http.get("/api/v2/silences").json()
        return found


@contextmanager
def running(tools: AlertTools, config: str) -> Iterator[Alertmanager]:
    """Run it with a configuration, on a free port of 127.0.0.1 and without a cluster."""
    with ExitStack() as resources:
        directory = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        (directory / "alertmanager.yml").write_text(config)
        for template in EXAMPLE.parent.glob("*.tmpl"):
            shutil.copy(template, directory)
        address = f"127.0.0.1:{free_port()}"
        words = (
            tools.alertmanager,
            f"--config.file={directory / 'alertmanager.yml'}",
            f"--storage.path={directory / 'data'}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        )
        url, log = f"http://{address}", directory / "log"
        here = tools.alertmanager.parent
        resources.enter_context(ready(*words, at=f"{url}/-/ready", log=log, cwd=here))
        http = resources.enter_context(httpx.Client(base_url=url, timeout=5.0, trust_env=False))
        yield Alertmanager(address, http)
