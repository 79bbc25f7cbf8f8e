"""A real Prometheus for the tests, and promtool's opinion of an exposition."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict

import httpx

from tools.get_prometheus import Tools, find_tools
from tools.processes import free_port, ready
from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

HOW_TO_GET = "needs Prometheus and promtool: `make prometheus` gets them on Debian"
HOW_TO_GET_NEWER = "needs Prometheus 3: `make prometheus` gets it where Debian's keyring is"
HOW_TO_GET_VICTORIA = "needs vmalert: `make prometheus` gets it where Debian's keyring is"
HOW_TO_GET_ALERTMANAGER = "needs Alertmanager and amtool: `make prometheus` gets them on Debian"


class Sample(TypedDict):
    """One element of an instant vector, as Prometheus answers it."""

    metric: dict[str, str]
    value: tuple[float, str]


def number(sample: Sample) -> float:
    """The value of a sample."""
    return float(sample["value"][1])


def prometheus_tools() -> Tools | None:
    """Where Prometheus and promtool are, or None where they are not to be had."""
    return find_tools()


def required_tools() -> Tools:
    """The same for code that cannot do without; the fixtures skip a test before it gets here."""
    tools = prometheus_tools()
    assert tools is not None, HOW_TO_GET
    return tools


def check_metrics(text: bytes) -> str:
    """What promtool says about an exposition in text format 0.0.4; it must find no fault."""
    done = subprocess.run(  # noqa: S603 - fixed words, no shell
        [required_tools().promtool, "check", "metrics"],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
    )
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, f"promtool check metrics: exit {done.returncode}\n{said}"
    return said


def job(name: str, *targets: str, **more: Any) -> dict[str, Any]:
    """Return a scrape config of these targets (`host:port`), with `more` of its keys."""
    return {"job_name": name, "static_configs": [{"targets": targets}], **more}


class RunningPrometheus:
    """A Prometheus of its own, on a free port of 127.0.0.1, with its data in a temporary directory.

    with RunningPrometheus(job("any", "127.0.0.1:10627")) as prometheus:
        prometheus.wait_for("ncr_image_up == 1")

    Args:
        jobs: Scrape configs, scraped each second.
        rule_files: Rule files, evaluated each second.
        alertmanagers: `host:port` of those who are to hear of alerts.
        flags: Further flags for the command line.
        tools: Which Prometheus, if not the one that most tests use.
    """

    def __init__(
        self,
        *jobs: Mapping[str, Any],
        rule_files: Sequence[Path] = (),
        alertmanagers: Sequence[str] = (),
        flags: Sequence[str] = (),
        tools: Tools | None = None,
    ) -> None:
        self._config = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
            },
            "rule_files": [str(path.resolve()) for path in rule_files],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]},
            "scrape_configs": jobs,
        }
        self._flags = tuple(flags)
        self._tools = tools
        self._resources = ExitStack()
        self._log = Path()
        self.url = ""

    def __enter__(self) -> Self:
        """Start it, and wait until it answers."""
        program = (self._tools or required_tools()).prometheus
        with ExitStack() as resources:
            directory = Path(resources.enter_context(tempfile.TemporaryDirectory()))
            self._log = directory / "prometheus.log"
            config = directory / "prometheus.yml"
            config.write_text(json.dumps(self._config))  # JSON is YAML
            address = f"127.0.0.1:{free_port()}"
            self.url = f"http://{address}"
            words: tuple[str | Path, ...] = (
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'data'}",
                *self._flags,
                f"--web.listen-address={address}",
            )
            resources.enter_context(
                ready(*words, at=f"{self.url}/-/ready", log=self._log, cwd=directory)
            )
            # No proxy of the environment stands between a test and its own loopback.
            self._http = resources.enter_context(
                httpx.Client(base_url=self.url, timeout=5.0, trust_env=False)
            )
            self._resources = resources.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End this one process and remove its data."""
        self._resources.close()

    def query(self, expr: str) -> list[Sample]:
        """The instant vector of an expression, now."""
        data = self._get("/api/v1/query", query=expr)
        assert data["resultType"] == "vector", f"{expr} is a {data['resultType']}, not a vector"
        result: list[Sample] = data["result"]
        return result

    def query_range(self, expr: str, minutes: int, step: int = 60) -> list[dict[str, Any]]:
        """The range vector of an expression over the last minutes, a point each `step` seconds."""
        now = time.time()
        data = self._get(
            "/api/v1/query_range",
            query=expr,
            start=str(now - minutes * 60),
            end=str(now),
            step=str(step),
        )
        result: list[dict[str, Any]] = data["result"]
        return result

    def wait_for(
        self,
        expr: str,
        predicate: Callable[[list[Sample]], bool] = bool,
        timeout: float = 20.0,
    ) -> list[Sample]:
        """Ask until the answer satisfies the predicate, by default until it is not empty."""
        last: list[Sample] = []

        def is_as_wanted() -> bool:
            last[:] = self.query(expr)
            return predicate(last)

        def seen() -> str:
            targets = [(t["scrapeUrl"], t["health"], t["lastError"]) for t in self.targets()]
            return f"{expr} is {last}, targets {targets}"

        wait_until(is_as_wanted, timeout, every=0.1, seen=seen)
        return last

    def label_values(self, label: str, series: str) -> list[str]:
        """The values of a label among the series that a selector matches."""
        answer = self._http.get(f"/api/v1/label/{label}/values", params={"match[]": series}).json()
        assert answer["status"] == "success", f"{series}: {answer.get('error')}"
        result: list[str] = answer["data"]
        return result

    def targets(self) -> list[dict[str, Any]]:
        """The targets it scrapes, as its API describes them."""
        result: list[dict[str, Any]] = self._get("/api/v1/targets", state="active")["activeTargets"]
        return result

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that are pending or firing, as its API describes them."""
        result: list[dict[str, Any]] = self._get("/api/v1/alerts")["alerts"]
        return result

    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(errors="replace")

    def _get(self, path: str, **params: str) -> dict[str, Any]:
        answer = self._http.get(path, params=params).json()
        assert answer["status"] == "success", f"{params}: {answer.get('error')}"
        data: dict[str, Any] = answer["data"]
        return data
