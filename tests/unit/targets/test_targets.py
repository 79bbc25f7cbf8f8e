"""From a configuration to the images that are polled."""

import pytest

from ncr_exporter.config import Settings, parse
from ncr_exporter.config.zones import REGIONS, ZONES, pull_host
from ncr_exporter.ncr.versions import gateway_of
from ncr_exporter.targets.targets import ImageTarget, registry_list_targets
from tests.support.states import named_images

# The table of the reference, written out.
HOSTS = {
    "public": "https://ncr.apigw.ntruss.com",
    "government": "https://gov-ncr.apigw.gov-ntruss.com",
    "financial": "https://ncr.apigw.fin-ntruss.com",
}
PREFIXES = [
    ("public", "kr", "/ncr/api/v2"),
    ("public", "sgn", "/ncr/sgn-api/v2"),
    ("public", "jpn", "/ncr/jpn-api/v2"),
    ("government", "kr", "/ncr/kr/v2"),
    ("government", "krs", "/ncr/krs/v2"),
    ("financial", "kr", "/ncr/api/v2"),
]


V3_HOSTS = [
    ("kr", "https://kr-ncr.apigw.ntruss.com"),
    ("sgn", "https://sg-ncr.apigw.ntruss.com"),
    ("jpn", "https://jp-ncr.apigw.ntruss.com"),
]


def targets(text: str) -> tuple[ImageTarget, ...]:
    return named_images(parse(text, "test.yml", {}))


def target(text: str) -> ImageTarget:
    (only,) = targets(text)
    return only


def test_the_hosts_are_the_documented_ones() -> None:
    assert ZONES == HOSTS


def test_there_are_no_regions_but_the_documented_ones() -> None:
    known = [(zone, region, prefix) for zone in REGIONS for region, prefix in REGIONS[zone].items()]
    assert known == PREFIXES


def url_of(text: str) -> str:
    """Return the URL of the tags of a configuration's only image."""
    config = parse(text, "test.yml", {})
    (found,) = named_images(config)
    registry = found.registry
    gateway = gateway_of(config.api, registry.account.zone)
    path = gateway.list_path(registry.region, registry.path.name, found.name)
    return f"{gateway.endpoints[registry.region].base_url}{path}"


@pytest.mark.parametrize(("zone", "region", "prefix"), PREFIXES)
def test_zone_and_region_decide_the_path(zone: str, region: str, prefix: str) -> None:
    url = url_of(
        f"api: {{zone: {zone}}}\nregistries: [{{name: mine, region: {region}, images: [a/b]}}]"
    )
    assert url == f"{HOSTS[zone]}{prefix}/repositories/mine/a%2Fb/tags"


@pytest.mark.parametrize(("region", "host"), V3_HOSTS)
def test_in_version_3_the_region_decides_the_host(region: str, host: str) -> None:
    text = f"registries: [{{name: mine, region: {region}, images: [a/b]}}]"
    path = "/api/v3/registries/mine/images/a%2Fb/tags"
    assert url_of(f"api: {{version: v3}}\n{text}") == f"{host}{path}"
    api = "{version: v3, base_url: 'http://localhost:8443'}"
    assert url_of(f"api: {api}\n{text}") == f"http://localhost:8443{path}"


def test_nothing_said_is_the_public_zone_in_korea_with_the_defaults() -> None:
    found = target("registries: [{name: mine, images: [app]}]")
    assert found.registry.region == "kr"
    assert found.timing.interval == 900
    assert found.policy.tag_series == 10
    assert found.policy.tag_series_by == ("updated", "idle")


OVERRIDES = """
defaults: {interval: 1m, tag_series: 1, tag_series_by: [updated]}
registries:
  - name: plain
    images: [a]
  - name: own
    interval: 2m
    tag_series: 0
    images:
      - b
      - name: c
        interval: 3m
        tag_series: 3
        tag_series_by: [size, idle]
  - name: after
    images:
      - d
"""


def test_an_images_own_setting_beats_its_registrys_which_beats_the_default() -> None:
    found = {t.key: (t.timing.interval, t.policy.tag_series) for t in targets(OVERRIDES)}
    assert found == {
        ("plain", "a"): (60, 1),
        ("own", "b"): (120, 0),
        ("own", "c"): (180, 3),
        ("after", "d"): (60, 1),
    }


def test_an_override_of_one_setting_leaves_the_others() -> None:
    found = {t.name: t.policy.tag_series_by for t in targets(OVERRIDES)}
    assert found == {"a": ("updated",), "b": ("updated",), "c": ("size", "idle"), "d": ("updated",)}


@pytest.mark.parametrize(
    "text",
    [
        "defaults: {tag_series: all}\nregistries: [{name: r, images: [a]}]",
        "defaults: {tag_series: 5}\nregistries: [{name: r, tag_series: all, images: [a]}]",
        "defaults: {tag_series: 5}\nregistries: [{name: r, images: [{name: a, tag_series: all}]}]",
    ],
    ids=["default", "registry", "image"],
)
def test_all_lifts_the_cap_on_series_wherever_it_is_written(text: str) -> None:
    assert target(text).policy.tag_series is None


@pytest.mark.parametrize("key", ["interval", "tag_series", "tag_series_by"])
def test_an_override_without_a_value_overrides_nothing(key: str) -> None:
    text = f"defaults: {{interval: 1m}}\nregistries: [{{name: r, {key}: , images: [a]}}]"
    found = target(text)
    assert found.timing.interval == 60
    assert found.policy.tag_series == Settings().tag_series


def test_images_come_in_the_order_of_the_file() -> None:
    found = targets("registries: [{name: z, images: [z, a]}, {name: a, images: [y, b]}]")
    assert [t.key for t in found] == [("z", "z"), ("z", "a"), ("a", "y"), ("a", "b")]


def test_the_label_names_a_registry_in_metrics_and_its_name_in_requests() -> None:
    found = target("registries: [{name: shared, label: theirs, images: [app]}]")
    assert found.key == ("theirs", "app")
    assert found.registry.path.name == "shared"


def test_two_registries_of_one_name_are_told_apart_by_labels() -> None:
    found = targets(
        "registries: [{name: same, images: [a]}, {name: same, label: other, images: [a]}]"
    )
    assert {t.key for t in found} == {("same", "a"), ("other", "a")}


ACCOUNTS = """
credentials: {access_key: mine, secret_key: s1}
registries:
  - {name: a, images: [x]}
  - {name: b, images: [x], credentials: {access_key: mine, secret_key: s1}}
  - {name: c, images: [x], credentials: {access_key: theirs, secret_key: s2}}
  - {name: d, images: [x], credentials: {access_key: theirs, secret_key_file: s2}}
  - {name: e, images: [x], credentials: {access_key: theirs, secret_key: s2}, label: e2}
"""


def test_registries_of_one_key_share_an_account() -> None:
    a, b, c, d, e = (t.registry.account.credentials for t in targets(ACCOUNTS))
    assert a == b
    assert c == e
    assert hash(a) == hash(b)
    assert hash(c) == hash(e)
    assert len({a, b, c, d, e}) == 3


def test_a_registry_without_credentials_uses_the_files() -> None:
    first = targets(ACCOUNTS)[0].registry.account.credentials
    assert first.access_key is not None
    assert first.access_key.reveal() == "mine"


# The table of the reference, written out.
PULL_HOSTS = [
    ("public", "kr", "mine.kr.ncr.ntruss.com"),
    ("public", "sgn", "mine.sg.ncr.ntruss.com"),
    ("public", "jpn", "mine.jp.ncr.ntruss.com"),
    ("government", "kr", "mine.ncr.gov-ntruss.com"),
    ("government", "krs", "mine.ncr.gov-ntruss.com"),
    ("financial", "kr", "mine.ncr.fin-ntruss.com"),
]


@pytest.mark.parametrize(("zone", "region", "host"), PULL_HOSTS)
def test_images_are_pulled_from_the_documented_host(zone: str, region: str, host: str) -> None:
    assert pull_host(zone, region, "mine") == host


# --- choosing among the images that a registry lists ---

GLOBS = """
registries:
  - name: mine
    exclude: ["*/cache", "team-b/secret-*"]
    images:
      - team-a/special
      - name: team-a/*
        interval: 1h
      - name: "*/tools"
        interval: 2h
      - name: team-b/*
        interval: 3h
"""
LISTED = [
    "team-b/secret-app",
    "team-a/app",
    "team-a/tools",
    "team-a/sub/app",
    "team-a/cache",
    "team-b/tools",
    "team-b/app",
    "Team-A/app",
    "other",
]


def chosen(text: str, listed: list[str]) -> dict[str, float]:
    (target,) = registry_list_targets(parse(text, "test.yml", {}))
    return {image.name: image.timing.interval for image in target.named[0].images(listed)}


def test_the_first_entry_that_matches_an_image_decides() -> None:
    assert chosen(GLOBS, LISTED) == {
        "team-a/special": 900,
        "team-a/app": 3600,
        "team-a/tools": 3600,
        "team-a/sub/app": 3600,
        "team-b/tools": 7200,
        "team-b/app": 10800,
    }


def test_a_glob_before_a_name_decides_for_that_name_too() -> None:
    text = """
registries:
  - name: mine
    images: [{name: "team-a/*", interval: 1h}, team-a/app]
"""
    assert chosen(text, []) == {"team-a/app": 3600}


def test_without_images_every_image_that_is_not_excluded_is_chosen() -> None:
    text = 'registries: [{name: mine, exclude: ["*/cache"]}]'
    assert sorted(chosen(text, LISTED)) == sorted(set(LISTED) - {"team-a/cache"})


def test_globs_that_could_be_mistyped_are_those_that_do_not_match_every_image() -> None:
    (target,) = registry_list_targets(parse(GLOBS, "test.yml", {}))
    assert "team-a/*" in target.named[0].globs
    (every,) = registry_list_targets(parse("registries: [mine]", "test.yml", {}))
    assert every.named[0].globs == ()


def test_registries_of_one_account_and_region_share_a_registry_list() -> None:
    text = """
credentials: {access_key: k, secret_key: s}
registries:
  - {name: a, interval: 1h}
  - {name: b, interval: 5m}
  - {name: c, region: jpn}
  - {name: "*"}
  - {name: d, credentials: {access_key: k2, secret_key: s2}}
"""
    first, japan, other = registry_list_targets(parse(text, "test.yml", {}))
    assert [registry.label for registry in first.named] == ["a", "b"]
    assert (first.label, first.timing.interval) == ("*", 300)
    assert (japan.label, japan.every) == ("c", None)
    assert other.label == "d"
    assert [registry.label for registry in first.found(["a", "x", "y"])] == ["x", "y"]
