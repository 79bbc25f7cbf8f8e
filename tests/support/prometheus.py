"""A real Prometheus for the tests, and promtool's opinion of an exposition."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict

import httpx

from tools.get_prometheus import Tools, find_tools
from tools.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

START_SECONDS = 20.0
END_SECONDS = 10.0
PAUSE_SECONDS = 0.1
HOW_TO_GET = "needs Prometheus and promtool: `make prometheus` gets them on Debian"
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


class RunningPrometheus:
    """A Prometheus of its own, on a free port of 127.0.0.1, with its data in a temporary directory.

    with RunningPrometheus(["127.0.0.1:10627"]) as prometheus:
        prometheus.wait_for("ncr_image_up == 1")

    Args:
        scrape: `host:port` targets, scraped each second at /metrics; or one whole scrape config.
        more_scrape_configs: Further scrape configs, whole.
        rule_files: Rule files, evaluated each second.
        alertmanagers: `host:port` of those who are to hear of alerts.
        flags: Further flags for the command line.
        tools: Which Prometheus, if not the one that most tests use.
    """

    def __init__(  # noqa: PLR0913 -- all but the first have names and defaults
        self,
        scrape: Sequence[str] | Mapping[str, Any],
        *,
        more_scrape_configs: Sequence[Mapping[str, Any]] = (),
        rule_files: Sequence[Path] = (),
        alertmanagers: Sequence[str] = (),
        flags: Sequence[str] = (),
        tools: Tools | None = None,
    ) -> None:
        first = (
            dict(scrape)
            if isinstance(scrape, Mapping)
            else {"job_name": "test", "static_configs": [{"targets": list(scrape)}]}
        )
        self._config = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
            },
            "rule_files": [str(path.resolve()) for path in rule_files],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]},
            "scrape_configs": [first, *map(dict, more_scrape_configs)],
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
            with self._log.open("wb") as log:
                process = subprocess.Popen(  # noqa: S603 - fixed words, no shell
                    [
                        program,
                        f"--config.file={config}",
                        f"--storage.tsdb.path={directory / 'data'}",
                        f"--web.listen-address={address}",
                        *self._flags,
                    ],
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            resources.callback(end, process)
            # No proxy of the environment stands between a test and its own loopback.
            self._http = resources.enter_context(
                httpx.Client(base_url=self.url, timeout=5.0, trust_env=False)
            )
            wait_until_ready(process, self._http, self.log)
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
        deadline = time.monotonic() + timeout
        while not predicate(result := self.query(expr)):
            assert time.monotonic() < deadline, (
                f"{expr}: not as wanted within {timeout} s, last answer {result}, "
                f"targets {[(t['scrapeUrl'], t['health'], t['lastError']) for t in self.targets()]}"
            )
            time.sleep(PAUSE_SECONDS)
        return result

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

    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(errors="replace")

    def _get(self, path: str, **params: str) -> dict[str, Any]:
        answer = self._http.get(path, params=params).json()
        assert answer["status"] == "success", f"{params}: {answer.get('error')}"
        data: dict[str, Any] = answer["data"]
        return data


def wait_until_ready(
    process: subprocess.Popen[bytes], http: httpx.Client, log: Callable[[], str]
) -> None:
    """Wait until a program of Prometheus' family answers at /-/ready."""
    deadline = time.monotonic() + START_SECONDS
    while not _is_ready(http):
        assert process.poll() is None, f"ended at once:\n{log()}"
        assert time.monotonic() < deadline, f"not ready within {START_SECONDS} s:\n{log()}"
        time.sleep(PAUSE_SECONDS)


def _is_ready(http: httpx.Client) -> bool:
    try:
        return http.get("/-/ready").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it end if it does not."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
