"""The whole exporter in one process, wired as `serve` wires it; time frozen where it matters."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from freezegun import freeze_time

from ncr_exporter.app.serve import ListenError, RunningExporter, ServeOptions, exporter
from ncr_exporter.config import Config, parse
from ncr_exporter.httpd.address import Address
from ncr_exporter.metrics.families import FAMILIES
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.state import persistence
from ncr_exporter.state.file import read_state
from tests.support.api_client import simulated, source_of, tag
from tests.support.clock import eventually
from tests.support.exporter import APP, HERE, Running, listening
from tests.support.expositions import families_of, samples_of
from tests.support.http_server import needs_ipv6
from tools.processes import free_port

CONFIG = """
api: {{base_url: "{url}", requests_per_second: 1000, timeout: 2s}}
credentials: {{access_key: DEMOACCESSKEY, secret_key: demo-secret-key}}
defaults:
  interval: 1s
  tag_size_limit: 500MB
  tags_limit: 300
  platform_series: true
  immutable_tags: ["v*"]
  owner: team-a
  relist_after: 1d
registries:
  - name: my-registry
    images: [app, {{name: web, interval: 1h}}, "team-b/*"]
    exclude: ["*/cache"]
"""


def config_for(url: str) -> Config:
    return parse(CONFIG.format(url=url), "test.yml", {})


@asynccontextmanager
async def running(*tags: dict[str, Any], storage: Path | None = None) -> AsyncIterator[Running]:
    source = source_of(app=tags or [tag("v1"), tag("v2")], web=[tag("v1")])
    async with (
        simulated(source) as (registry, url),
        exporter(config_for(url), replace(HERE, storage=storage)) as at_work,
        listening(registry, at_work) as exporting,
    ):
        yield exporting


@pytest.fixture
async def exporting() -> AsyncIterator[Running]:
    async with running() as it:
        await it.ready()
        yield it


async def test_a_tag_list_becomes_metrics(exporting: Running) -> None:
    assert await exporting.value("ncr_image_tags") == 2
    assert await exporting.value("ncr_image_up") == 1
    account = {"registry": "my-registry"}
    planned = await exporting.value("ncr_api_requests_per_second_planned", **account)
    lists, each_second, each_hour = 2, 1, 1 / 3600
    assert planned == pytest.approx(lists + each_second + each_hour)
    assert await exporting.value("ncr_api_requests_per_second_limit", **account) == 1000


async def test_the_age_of_a_pull_is_counted_from_now_on_a_frozen_clock() -> None:
    async with running(tag("v1", pulled=1_759_000_000_000)) as exporting:
        await exporting.ready()
        with freeze_time("2025-10-09 08:53:20", real_asyncio=True) as frozen:
            assert await exporting.value("ncr_image_last_pulled_age_seconds") == 1_000_000
            frozen.tick(15)
            assert await exporting.value("ncr_image_last_pulled_age_seconds") == 1_000_015


async def test_between_polls_two_scrapes_differ_only_in_the_age_and_the_exporters_own(
    exporting: Running,
) -> None:
    exporting.registry.fault = fault_named("hang")
    await asyncio.sleep(1.2)  # the poll that is due now hangs: nothing can change
    first, second = await exporting.text(), await exporting.text()
    differing = {
        a.split("{")[0].split(" ")[0]
        for a, b in itertools.zip_longest(first.splitlines(), second.splitlines())
        if a != b and not a.startswith(("ncr_api_", "ncr_exporter_", "process_", "python_"))
    }
    assert differing == {"ncr_image_last_pulled_age_seconds"}


async def test_a_scrape_never_calls_the_api(exporting: Running) -> None:
    exporting.registry.fault = fault_named("hang")
    await asyncio.sleep(1.2)
    before = len(exporting.registry.requests)
    for _ in range(20):
        assert (await exporting.client.get("/metrics")).status_code == 200
    assert len(exporting.registry.requests) == before


async def test_after_an_error_the_last_good_values_stand_and_up_is_0(exporting: Running) -> None:
    exporting.registry.fault = fault_named("unavailable")
    async with asyncio.timeout(10):
        while await exporting.value("ncr_image_up") != 0:
            await asyncio.sleep(0.05)
    assert await exporting.value("ncr_image_tags") == 2
    assert await exporting.value("ncr_image_poll_failures_total") == 1
    exporting.registry.fault = None
    async with asyncio.timeout(10):
        while await exporting.value("ncr_image_up") != 1:
            await asyncio.sleep(0.05)


async def test_every_family_of_the_catalogue_is_in_live_output_with_its_labels(
    tmp_path: Path,
) -> None:
    async with running(storage=tmp_path) as exporting:  # which writes a state at its end
        await exporting.ready()
    async with running(storage=tmp_path) as exporting:
        await exporting.ready()
        exporting.registry.fault = fault_named("unavailable")
        await asyncio.sleep(1.2)
        text = await exporting.text()
    live = {family.name: family for family in families_of(text)}
    for family in FAMILIES.values():
        published = live[family.name.removesuffix("_total")]
        assert published.documentation == family.help_text
        assert published.type == family.type
        labels = {name for sample in published.samples for name in sample.labels}
        assert labels - {"le"} == set(family.labels), family.name


async def test_where_nothing_is_stored_nothing_is_said_of_it(exporting: Running) -> None:
    assert "ncr_exporter_state_" not in await exporting.text()


async def test_the_port_is_open_before_the_state_is_read_healthy_and_not_ready(
    tmp_path: Path,
) -> None:
    async with running(storage=tmp_path) as exporting:
        await exporting.ready()
    answers: dict[str, Any] = {}

    async def ask(at_work: RunningExporter) -> None:
        url = f"http://{at_work.addresses[0]}"
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            for path in ("/-/healthy", "/-/ready", "/metrics", "/"):
                answers[path] = await client.get(path)

    asking: list[asyncio.Future[None]] = []

    def ask_before_it_reads(at_work: RunningExporter) -> None:
        asking.append(asyncio.create_task(ask(at_work)))
        asking.append(asyncio.ensure_future(at_work.reload()))

    options = replace(HERE, storage=tmp_path)
    dead = config_for("http://127.0.0.1:9")
    with reading_slowly() as go_on:
        starting = exporter(dead, options, on_listening=ask_before_it_reads)
        entering = asyncio.create_task(starting.__aenter__())
        await eventually(lambda: len(answers) == 4, within=5)
        assert not asking[1].done(), "a reload waits: it would begin without what is stored"
        go_on.set()
        at_work = await entering
    assert [answer.status_code for answer in answers.values()] == [200, 503, 200, 200]
    assert "ncr_image_tags{" not in answers["/metrics"].text
    assert "ncr_exporter_config_last_reload_successful 1.0" in answers["/metrics"].text
    await asking[1]
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"http://{at_work.addresses[0]}/metrics")).text
    assert samples_of(text)["ncr_image_tags", APP] == 2
    await starting.__aexit__(None, None, None)


@contextmanager
def reading_slowly() -> Iterator[threading.Event]:
    """Let the state be read only once the event is set."""
    go_on = threading.Event()

    def read(path: Path) -> Iterator[bytes]:
        go_on.wait(10)
        yield from read_state(path)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(persistence, "read_state", read)
        yield go_on
        go_on.set()


async def test_an_address_in_use_is_said_with_the_flag_to_change() -> None:
    async with running() as exporting:
        port = exporting.client.base_url.port or 0
        options = ServeOptions((Address("127.0.0.1", port),))
        with pytest.raises(ListenError, match=r"--web\.listen-address"):
            async with exporter(config_for("http://127.0.0.1:9"), options):
                pass


@needs_ipv6
async def test_it_listens_on_several_addresses() -> None:
    options = ServeOptions((Address("127.0.0.1", 0), Address("::1", 0)))
    async with exporter(config_for("http://127.0.0.1:9"), options) as at_work:
        for address in at_work.addresses:
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.get(f"http://{address}/-/healthy")
                assert answer.status_code == 200


@needs_ipv6
async def test_all_of_ipv6_takes_ipv4_too() -> None:
    options = ServeOptions((Address("::", 0),))
    async with exporter(config_for("http://127.0.0.1:9"), options) as at_work:
        (address,) = at_work.addresses
        assert await healthy("127.0.0.1", address.port)
        assert await healthy("[::1]", address.port)


@needs_ipv6
@pytest.mark.parametrize("first", ["::", "127.0.0.1"])
async def test_ipv4_is_left_to_an_address_that_has_it(first: str) -> None:
    port = free_port()
    listen = sorted(
        (Address("::", port), Address("127.0.0.1", port)), key=lambda a: a.host != first
    )
    options = ServeOptions(tuple(listen))
    async with exporter(config_for("http://127.0.0.1:9"), options):
        assert await healthy("127.0.0.1", port)
        assert await healthy("[::1]", port)


async def healthy(host: str, port: int) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{host}:{port}/-/healthy")
    return answer.status_code == HTTPStatus.OK


async def test_nothing_is_left_behind_after_a_stop() -> None:
    before = asyncio.all_tasks()
    async with running() as exporting:
        await exporting.ready()
    await eventually(lambda: asyncio.all_tasks() == before)
