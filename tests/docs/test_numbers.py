"""Numbers that documents name and the code knows: they must be the code's."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from ncr_exporter.app.pipeline import PATIENCE
from ncr_exporter.cli.serve import COMMAND
from ncr_exporter.config.model import Api, Settings
from ncr_exporter.httpd.connection import _PIECE
from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.webconfig.basic_auth import _MAX_REMEMBERED
from ncr_exporter.httpd.webconfig.hash_queue import _MOST_WAITING
from ncr_exporter.polling.scheduler import RETRY_FRACTIONS
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.simulator.key_rotation import HANDED_OUT_AFTER
from ncr_exporter.state.model import RECENT_POLLS
from ncr_exporter.web.status.page import IMAGES_PER_PAGE
from tests.conftest import LONGEST_ASYNC_TEST
from tests.support.api_client import source_of, tag
from tests.support.api_thread import KEYS, answering
from tests.support.deployed import CHART, DEPLOY, ROOT
from tests.support.program import exporter
from tools.dashboards.__main__ import DASHBOARDS

LIMITS, API, SETTINGS = Limits(), Api(), Settings()
KIB = 1024
SCRAPE = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"][0]
CHART_VALUES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
COVERAGE = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["report"]
PER_IMAGE, PER_TAG, TAGS = 22, 5, 2 * (SETTINGS.tag_series or 0)

# Document, the words around a number, and the number.
TOLD = [
    ("docs/web-config.md", r"end of the first request \| (\d+) s", LIMITS.header),
    ("docs/web-config.md", r"first byte to its last \| (\d+) s", LIMITS.header),
    ("docs/web-config.md", r"requests of a connection \| (\d+) s", LIMITS.idle),
    ("docs/web-config.md", r"without (\d+) KiB of the answer", _PIECE / KIB),
    ("docs/web-config.md", r"KiB of the answer taken \| (\d+) s", LIMITS.stall),
    ("docs/web-config.md", r"last byte of the answer \| (\d+) s", LIMITS.response),
    ("docs/web-config.md", r"connections \| (\d+);", LIMITS.connections),
    ("docs/web-config.md", r"`--web.max-requests` \((\d+)\)", LIMITS.requests),
    ("docs/web-config.md", r"waits (\d+) s for a place", LIMITS.admission),
    ("docs/cli.md", r"others wait up to (\d+) s, then get 503", LIMITS.admission),
    ("docs/web-config.md", r"and headers \| (\d+) KiB", LIMITS.header_bytes / KIB),
    ("docs/web-config.md", r"and headers \| .*at most (\d+);", 2 * LIMITS.header_bytes / KIB),
    ("docs/web-config.md", r"a body \| (\d+) KiB", LIMITS.body_bytes / KIB),
    ("docs/web-config.md", r"last ([\d,]+) right ones", _MAX_REMEMBERED),
    ("docs/web-config.md", r"last ([\d,]+) wrong ones", _MAX_REMEMBERED),
    ("docs/web-config.md", r"At most (\d+) passwords wait", _MOST_WAITING),
    ("docs/scaling.md", r"limit of (\d+) requests a\s+second", API.requests_per_second),
    ("docs/scaling.md", r"room for ([\d,]+) pages", API.requests_per_second * SETTINGS.interval),
    ("docs/scaling.md", r"with (\d+) tags a page", API.page_size),
    ("docs/scaling.md", r"default of (\d+) in all", API.requests_per_second),
    ("docs/performance.md", r"By default, with (\d+) requests", API.requests_per_second),
    ("docs/runbooks/NCRTooManyTags.md", r"each (\d+) tags cost", API.page_size),
    ("docs/runbooks/NCRPlanExceedsRateLimit.md", r"([\d,]+) tags are 100", 100 * API.page_size),
    ("docs/faults.md", r"(\d+) s\s+later the new key", HANDED_OUT_AFTER),
    ("docs/status-page.md", r"It holds (\d+) images at a time", IMAGES_PER_PAGE),
    ("deploy/prometheus/prometheus.yml", r"about (\d+) series", PER_IMAGE),
    ("deploy/prometheus/prometheus.yml", r"at most (\d+)\) tags with", TAGS),
    ("CONTRIBUTING.md", r"coverage of (\d+) %", COVERAGE["fail_under"]),
    ("README.md", r"by default \| (\d+),", PER_IMAGE),
    ("README.md", r"and (\d+) for each of at most", PER_TAG),
    ("README.md", r"for each of at most (\d+) tags", TAGS),
    *(
        ("deploy/grafana/README.md", rf"all (\d+) (?:queries )?of \*{name}\*", count)
        for name, count in (
            (board.title.rpartition(" ")[2], sum(len(p.get("targets", ())) for p in panels))
            for board, panels in (
                (each, [q for p in each.json()["panels"] for q in (p, *p.get("panels", ()))])
                for each in DASHBOARDS
            )
        )
    ),
]
IN_WORDS = [
    ("docs/status-page.md", "last five polls", RECENT_POLLS, 5),
    (
        "docs/reliability.md",
        "after a fifth, then after two fifths of",
        RETRY_FRACTIONS,
        (1 / 5, 2 / 5),
    ),
    ("docs/reports.md", "waits up to a minute in all", PATIENCE, 60),
    ("CONTRIBUTING.md", "fails after two minutes", LONGEST_ASYNC_TEST, 120),
]


@pytest.mark.parametrize(("name", "words", "number"), TOLD)
def test_a_number_that_is_told_is_the_codes(name: str, words: str, number: float) -> None:
    found = re.findall(words, (ROOT / name).read_text(encoding="utf-8"))
    assert found, f"{name} says that in other words: look for the number"
    assert [float(each.replace(",", "")) for each in found] == [number] * len(found)


@pytest.mark.parametrize(("name", "words", "number", "told"), IN_WORDS)
def test_a_number_in_words_is_the_codes(name: str, words: str, number: Any, told: Any) -> None:
    text = " ".join((ROOT / name).read_text(encoding="utf-8").split())
    assert words in text
    assert number == told


def test_the_scrape_limit_is_enough_for_the_images_that_are_told() -> None:
    told = "1,600 images"
    for file in (DEPLOY / "prometheus" / "prometheus.yml", CHART / "values.yaml"):
        assert told in file.read_text(encoding="utf-8"), file
    limit = SCRAPE["sample_limit"]
    assert CHART_VALUES["serviceMonitor"]["sampleLimit"] == limit
    assert CHART_VALUES["serviceMonitor"]["bodySizeLimit"] == SCRAPE["body_size_limit"]
    assert 1_600 <= limit / (PER_IMAGE + TAGS * PER_TAG) < 1_700


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What is published of an image of 100 tags by default."""
    tags = [tag(f"1.{n}", last_updated=1_700_000_000_000 + n * 86_400_000) for n in range(100)]
    with answering(source_of(**{"team/app": tags})) as (_, url):
        file = tmp_path_factory.mktemp("series") / "ncr-exporter.yml"
        file.write_text(f"registries: [my-registry]\napi: {{base_url: '{url}'}}\n")
        environ = {
            "NCLOUD_ACCESS_KEY_ID": KEYS["access_key"],
            "NCLOUD_SECRET_ACCESS_KEY": KEYS["secret_key"],
        }
        with exporter(file, **environ) as program:
            program.ready()
            lines = program.get().text.splitlines()
    return [line for line in lines if 'image="team/app"' in line]


def test_an_image_has_as_many_series_as_is_told(series: list[str]) -> None:
    of_tags = [line for line in series if ",tag=" in line]
    assert len(of_tags) == PER_TAG * TAGS
    assert len(series) - len(of_tags) == PER_IMAGE
    assert sum(map(len, series)) / 1000 == pytest.approx(12, rel=0.2), "kB, as the README says"


@pytest.mark.parametrize("chosen", [0, 3, 10])
def test_the_series_of_a_large_account_are_those_told(chosen: int) -> None:
    total = 5_000 * (PER_IMAGE + 2 * chosen * PER_TAG)
    text = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| {chosen}\b[^|]* \| {total:,} \|", text, re.MULTILINE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert chosen == 3 or f"| {total:,} |" in readme


def test_exit_codes_are_those_that_are_told() -> None:
    assert UserError.exit_code == 2
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert "0 clean stop, 1 failure, 2 wrong usage or configuration" in text


def test_the_default_of_a_flag_is_that_of_what_it_sets() -> None:
    (flag,) = (flag for flag in COMMAND.flags if flag.name == "--web.max-requests")
    assert int(flag.default or "") == LIMITS.requests
