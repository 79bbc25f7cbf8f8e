"""The simulated registry speaks the documented API and checks what the gateway checks."""

import asyncio
import gzip
import json
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.httpd.server import Server
from ncr_exporter.ncr.signing import signed_headers
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.simulator.api_records import JsonRecord
from ncr_exporter.simulator.data import FixedSource, GeneratedSource, Source, images, tags
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.simulator.registry import (
    DEMO_ACCESS_KEY,
    DEMO_SECRET_KEY,
    AnsweredRequest,
    SimulatedRegistry,
)

NOW = 1_767_236_400.0  # 2026-01-01 03:00 UTC
NOW_MS = int(NOW * 1000)
LIST = "/ncr/api/v2/repositories"
TAGS = f"{LIST}/demo-registry/api/tags"
NUMBERED = FixedSource("r", {"i": [{"name": str(number)} for number in range(45)]})
TLS = ssl.create_default_context()  # made once: it takes longer than a request


class StoppedClock(SystemClock):
    """Always says the same time."""

    def time(self) -> float:
        return NOW


def simulated(
    source: Source | None = None, *, largest_page: int = 100, prefix: str = "/ncr/api/v2"
) -> SimulatedRegistry:
    return SimulatedRegistry(
        source or GeneratedSource(),
        keys={DEMO_ACCESS_KEY: DEMO_SECRET_KEY},
        clock=StoppedClock(),
        largest_page=largest_page,
        prefix=prefix,
    )


def signed(
    target: str,
    *,
    method: str = "GET",
    timestamp_ms: int = NOW_MS,
    access_key: str = DEMO_ACCESS_KEY,
    secret_key: str = DEMO_SECRET_KEY,
) -> dict[str, str]:
    return signed_headers(
        method,
        target,
        timestamp_ms=timestamp_ms,
        access_key=access_key,
        secret_key=secret_key,
    )


async def ask(
    registry: SimulatedRegistry,
    target: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
) -> Response:
    """Return the answer to a request, signed unless `headers` say otherwise."""
    headers = signed(target, method=method) if headers is None else headers
    return await registry.handle(Request(method, target, headers))


def content(answer: Response) -> Any:
    return json.loads(b"".join(answer.body))


def names(page: JsonRecord) -> list[str]:
    return [record["name"] for record in page["results"]]


def refusal(answer: Response) -> tuple[int, str, str]:
    """Return status, code and origin of a gateway error."""
    origin = answer.headers["x-ncp-apigw-response-origin"]
    return answer.status, content(answer)["error"]["errorCode"], origin


class TestLists:
    """The three documented lists."""

    async def test_the_registry_list(self) -> None:
        page = content(await ask(simulated(), LIST))
        assert names(page) == ["demo-registry", "demo-base"]
        assert (page["count"], page["next"], page["previous"]) == (2, None, None)

    async def test_the_image_list(self) -> None:
        page = content(await ask(simulated(), f"{LIST}/demo-registry?page=1&pagesize=100"))
        assert page["results"] == images("demo-registry", NOW_MS)

    async def test_the_tag_list_of_an_image_with_a_slash_in_its_name(self) -> None:
        target = f"{LIST}/demo-registry/web%2Ffrontend/tags?page=1&pagesize=100"
        assert content(await ask(simulated(), target))["results"] == tags(
            "demo-registry", "web/frontend", NOW_MS
        )

    @pytest.mark.parametrize("prefix", ["/ncr/api/v2", "/ncr/sgn-api/v2", "/ncr/kr/v2"])
    async def test_each_region_has_its_prefix(self, prefix: str) -> None:
        registry = simulated(prefix=prefix)
        assert (await ask(registry, f"{prefix}/repositories")).status == 200
        assert refusal(await ask(registry, "/ncr/jpn-api/v2/repositories")) == (404, "300", "APIGW")


class TestPages:
    """Paging by number."""

    async def test_page_numbers_lead_from_one_page_to_the_next(self) -> None:
        registry = simulated()
        pages = [
            content(await ask(registry, f"{TAGS}?page={number}&pagesize=100"))
            for number in (1, 2, 3)
        ]
        assert [(page["previous"], page["next"]) for page in pages] == [
            (None, 2),
            (1, 3),
            (2, None),
        ]
        listed = [tag for page in pages for tag in page["results"]]
        assert listed == tags("demo-registry", "api", NOW_MS)
        assert {page["count"] for page in pages} == {len(listed)}

    @given(count=st.integers(0, 50), size=st.integers(1, 60))
    def test_pages_join_to_the_whole_list(self, count: int, size: int) -> None:
        whole = [str(number) for number in range(count)]
        registry = simulated(FixedSource("r", {"i": [{"name": name} for name in whole]}))
        number: int | None = 1
        joined: list[str] = []
        while number is not None:
            page = content(
                asyncio.run(ask(registry, f"{LIST}/r/i/tags?page={number}&pagesize={size}"))
            )
            joined += names(page)
            number = page["next"]
        assert joined == whole

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", 20),
            ("?page=3", 5),
            ("?pagesize=7", 7),
            ("?pagesize=1000", 30),  # the largest page of this registry
            ("?page=2&pagesize=1000", 15),
            ("?page=4", 0),
            ("?page=999999999&pagesize=10", 0),
        ],
    )
    async def test_how_many_come_on_a_page(self, query: str, expected: int) -> None:
        page = content(await ask(simulated(NUMBERED, largest_page=30), f"{LIST}/r/i/tags{query}"))
        assert (len(page["results"]), page["count"]) == (expected, 45)

    async def test_past_the_end_nothing_follows_and_the_last_page_came_before(self) -> None:
        page = content(await ask(simulated(NUMBERED), f"{LIST}/r/i/tags?page=9"))
        assert (page["results"], page["next"], page["previous"]) == ([], None, 3)

    @pytest.mark.parametrize("query", ["page=0", "page=-1", "page=", "page=one", "page=1.0"])
    @pytest.mark.parametrize("name", ["page", "pagesize"])
    async def test_a_page_that_is_no_number_above_0_is_refused(self, query: str, name: str) -> None:
        target = f"{LIST}/r/i/tags?{query.replace('page', name)}"
        answer = await ask(simulated(NUMBERED), target)
        assert (answer.status, content(answer)["returnCode"]) == (400, "400")


class TestNotFound:
    """Who misses what."""

    @pytest.mark.parametrize("path", ["nowhere", "nowhere/api/tags", "demo-registry/nothing/tags"])
    async def test_an_unknown_registry_or_image_is_missed_by_the_service(self, path: str) -> None:
        answer = await ask(simulated(), f"{LIST}/{path}")
        assert answer.status == 404
        assert answer.headers["x-ncp-apigw-response-origin"] == "ENDPOINT"
        missing = path.split("/", 1)[0] if "nowhere" in path else "nothing"
        assert content(answer) == {
            "returnCode": "404",
            "returnMessage": f"{missing} does not exist",
        }

    @pytest.mark.parametrize(
        "target",
        [
            "/",
            "/ncr/api/v2",
            "/ncr/api/v2/repositories/",
            "/ncr/api/v2/repositoriesX",
            "/ncr/api/v1/repositories",
            f"{LIST}/demo-registry/web/frontend/tags",  # not encoded: four names
            f"{LIST}/demo-registry/api",
            f"{LIST}/demo-registry//tags",
            "*",
        ],
    )
    async def test_an_undocumented_path_is_missed_by_the_gateway(self, target: str) -> None:
        assert refusal(await ask(simulated(), target)) == (404, "300", "APIGW")

    @pytest.mark.parametrize("method", ["DELETE", "POST", "PATCH", "PUT", "HEAD"])
    async def test_nothing_but_get_is_served(self, method: str) -> None:
        assert refusal(await ask(simulated(), LIST, method=method)) == (404, "300", "APIGW")


class TestSignature:
    """Requests are checked as the gateway checks them."""

    async def test_every_header_is_needed(self) -> None:
        whole = signed(LIST)
        for missing in whole:
            headers = {name: value for name, value in whole.items() if name != missing}
            answer = await ask(simulated(), LIST, headers)
            assert refusal(answer) == (401, "200", "APIGW")
            assert content(answer)["error"]["message"] == "Authentication Failed"

    @pytest.mark.parametrize(
        ("minutes", "offset", "status"),
        [
            (0, 0, 200),
            (5, 0, 200),
            (-5, 0, 200),
            (5.01, 0, 401),
            (-5.01, 0, 401),
            (0, 600, 401),  # its clock is 10 minutes ahead
            (10, 600, 200),
        ],
    )
    async def test_the_timestamp_must_be_within_5_minutes_of_its_clock(
        self, minutes: float, offset: float, status: int
    ) -> None:
        registry = simulated()
        registry.clock_offset = offset
        headers = signed(LIST, timestamp_ms=int(NOW_MS + minutes * 60_000))
        assert (await ask(registry, LIST, headers)).status == status

    @pytest.mark.parametrize("timestamp", ["soon", "-1", "1e12", "٣", "9" * 5000, "0"])
    async def test_a_timestamp_that_is_none_is_refused(self, timestamp: str) -> None:
        headers = signed(LIST) | {"x-ncp-apigw-timestamp": timestamp}
        assert refusal(await ask(simulated(), LIST, headers)) == (401, "200", "APIGW")

    async def test_it_covers_the_target_as_sent(self) -> None:
        sent = f"{LIST}/demo-registry/web%2Ffrontend/tags?page=1&pagesize=2"
        assert (await ask(simulated(), sent, signed(sent))).status == 200
        for other in (
            sent.replace("%2F", "%2f"),
            sent.replace("page=1", "page=2"),
            sent.partition("?")[0],
            sent.removeprefix("/ncr/api/v2"),
        ):
            assert refusal(await ask(simulated(), sent, signed(other))) == (401, "200", "APIGW")

    async def test_it_covers_method_timestamp_and_keys(self) -> None:
        for headers in (
            signed(LIST, method="POST"),
            signed(LIST) | {"x-ncp-apigw-timestamp": str(NOW_MS + 1)},
            signed(LIST, secret_key="another"),
            signed(LIST, access_key="NOBODY"),
            signed(LIST) | {"x-ncp-apigw-signature-v2": "é"},
        ):
            assert refusal(await ask(simulated(), LIST, headers)) == (401, "200", "APIGW")

    async def test_keys_may_change_while_it_runs(self) -> None:
        keys = {"OLD": "old-secret"}
        registry = SimulatedRegistry(NUMBERED, keys=keys, clock=StoppedClock())
        old = signed(LIST, access_key="OLD", secret_key="old-secret")
        new = signed(LIST, access_key="NEW", secret_key="new-secret")
        assert [(await ask(registry, LIST, headers)).status for headers in (old, new)] == [200, 401]
        keys.clear()
        keys["NEW"] = "new-secret"
        assert [(await ask(registry, LIST, headers)).status for headers in (old, new)] == [401, 200]

    async def test_a_key_without_permission_is_told_so_only_if_its_signature_is_right(self) -> None:
        registry = simulated()
        registry.denied.add(DEMO_ACCESS_KEY)
        assert refusal(await ask(registry, LIST)) == (401, "210", "APIGW")
        assert refusal(await ask(registry, LIST, signed(LIST, secret_key="x"))) == (
            401,
            "200",
            "APIGW",
        )


class TestWhatItSaysOfItself:
    """Headers, memory, encoding."""

    async def test_every_answer_is_dated_and_numbered(self) -> None:
        registry = simulated()
        registry.clock_offset = 90
        answers = [
            await ask(registry, LIST),
            await ask(registry, LIST, {}),
            await ask(registry, "/"),
        ]
        assert [answer.headers["x-ncp-trace-id"] for answer in answers] == [
            "demo-00000001",
            "demo-00000002",
            "demo-00000003",
        ]
        for answer in answers:
            assert parsedate_to_datetime(answer.headers["date"]).timestamp() == NOW + 90
            assert answer.headers["content-type"] == "application/json"

    async def test_it_remembers_what_it_was_asked(self) -> None:
        registry = simulated()
        await ask(registry, LIST)
        await ask(registry, f"{LIST}/nowhere", method="DELETE")
        registry.fault = fault_named("close")
        await ask(registry, LIST)
        assert list(registry.requests) == [
            AnsweredRequest("GET", LIST, NOW, 200),
            AnsweredRequest("DELETE", f"{LIST}/nowhere", NOW, 404),
            AnsweredRequest("GET", LIST, NOW, 0),
        ]

    def test_it_remembers_no_more_than_ten_thousand(self) -> None:
        assert simulated().requests.maxlen == 10_000

    @pytest.mark.parametrize(
        ("accepted", "target", "encoding"),
        [
            ("gzip", TAGS, "gzip"),
            ("br, GZIP;q=0.5", TAGS, "gzip"),
            ("", TAGS, None),
            ("br", TAGS, None),
            ("gzip", LIST, None),  # shorter than 1 kB
        ],
    )
    async def test_a_long_body_is_compressed_for_those_who_take_it(
        self, accepted: str, target: str, encoding: str | None
    ) -> None:
        plain = await ask(simulated(), target)
        answer = await ask(simulated(), target, signed(target) | {"accept-encoding": accepted})
        body = b"".join(answer.body)
        assert answer.headers.get("content-encoding") == encoding
        assert answer.length == len(body)
        assert (gzip.decompress(body) if encoding else body) == b"".join(plain.body)


class TestOverTheWire:
    """Through a real socket."""

    async def test_a_client_reads_page_after_page(self) -> None:
        registry = simulated()
        listed: list[str] = []
        async with Server(registry.handle) as server:
            port = await server.listen("127.0.0.1", 0)
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", verify=TLS, trust_env=False
            ) as client:
                number = 1
                while number:
                    target = f"{TAGS}?page={number}&pagesize=100"
                    answer = await client.get(target, headers=signed(target))
                    assert answer.headers["content-encoding"] == "gzip"
                    listed += names(answer.json())
                    number = answer.json()["next"]
        assert len(registry.requests) == 3
        assert listed == [tag["name"] for tag in tags("demo-registry", "api", NOW_MS)]

    async def test_a_delay_holds_every_answer_back(self) -> None:
        registry = simulated(NUMBERED)
        registry.delay = 0.1
        start = asyncio.get_running_loop().time()
        await registry.handle(Request("GET", LIST, signed(LIST)))
        assert 0.09 < asyncio.get_running_loop().time() - start < 1
