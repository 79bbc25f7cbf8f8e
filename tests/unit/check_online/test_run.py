"""`check --online`: what works, what does not and how to mend it, and what was learned."""

import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from ncr_exporter.ncr.versions import VERSIONS
from ncr_exporter.simulator.data import GeneratedSource
from ncr_exporter.simulator.faults import FAULTS
from tests.support.api_client import platform, source_of, tag
from tests.support.api_thread import KEYS, answering, throttled_for, write_config
from tests.support.certificates import server_tls
from tests.support.in_process import run

NOW_MS = round(time.time() * 1000)
PULLED = NOW_MS - 3 * 86_400_000  # days: minutes pass until a busy machine comes to the test
IMAGES = {
    "app": [tag("v1", size=1000, pulled=PULLED), tag("v2", size=3000, pulled=PULLED)],
    "team/web": [tag("v1", size=2_000_000, pulled=0)],
}


SHAPE = "items in `content`, `totalElements`, `totalPages`, `pageNo`, `pageSize` in `page`"


def online(config: Path, *argv: str, code: int = 1, **environ: str) -> list[str]:
    """Return the lines after the verdict on the file."""
    done = run("check", "--online", f"--config.file={config}", *argv, environ=environ)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    first = next(number for number, line in enumerate(lines) if " is valid" in line)
    return lines[first + 2 :]


def verdicts(lines: list[str]) -> list[tuple[str, str]]:
    """Return verdict and place of each line that has one."""
    found = (re.match(r"(ok|warning|FAILED|not asked) +(\S.*?)(  |$)", line) for line in lines)
    return [(match[1], match[2]) for match in found if match]


def remedies(lines: list[str]) -> str:
    if "What to do" not in lines:
        return ""
    return "\n".join(lines[lines.index("What to do") + 1 :]).partition("\n\n")[0]


def learned(lines: list[str]) -> dict[str, str]:
    """Return topic → its findings, joined by a newline."""
    start = next(
        number for number, line in enumerate(lines) if line.startswith("Findings on the API")
    )
    topics: dict[str, str] = {}
    topic = ""
    for line in lines[start + 1 :]:
        if not line.startswith("  "):
            break
        topic = line[2:17].strip() or topic
        topics[topic] = f"{topics[topic]}\n{line[17:]}" if topic in topics else line[17:]
    return topics


def test_where_all_is_well_there_is_a_line_for_each_and_nothing_to_do(tmp_path: Path) -> None:
    with answering(source_of(**IMAGES)) as (_, url):
        lines = online(write_config(tmp_path, url, "my-registry"), code=0)
    assert lines[:5] == [
        "ok  registry list of kr   1 registry",
        "ok  my-registry           2 images listed",
        "ok  my-registry/app       2 tags, 4.00 kB, last pull 3d ago",
        "ok  my-registry/team/web  1 tag, 2.00 MB, never pulled",
        f"ok  API v3                this key may use it: {SHAPE}",
    ]
    assert remedies(lines) == ""
    assert lines[-1] == "5 ok"


def test_every_registry_of_the_account_is_asked(tmp_path: Path) -> None:
    with answering(GeneratedSource()) as (_, url):
        lines = online(write_config(tmp_path, url, "*"), code=0)
    assert [place for _, place in verdicts(lines)][:3] == [
        "registry list of kr",
        "demo-base",
        "demo-base/ci/toolchain",
    ]
    assert ("ok", "demo-registry/web/frontend") in verdicts(lines)
    assert "anyone may pull" in next(line for line in lines if "demo-base  " in line)


# A fault of every answer, and what is to be done. Each concerns the account: it is asked once.
ACCOUNT_FAULTS = {
    "wrong-key": "check the access key and secret key",
    "reset": "check DNS, firewall and proxy",
    "redirect": "check api.base_url",
}


@pytest.mark.parametrize("fault", ACCOUNT_FAULTS)
def test_what_concerns_the_whole_account_is_asked_once(fault: str, tmp_path: Path) -> None:
    with answering(source_of(**IMAGES)) as (registry, url):
        registry.fault = FAULTS[fault]
        entry = {"name": "my-registry", "images": ["app", "team/web"]}
        lines = online(write_config(tmp_path, url, entry))
        assert not [seen for seen in registry.requests if "my-registry" in seen.target]
    assert verdicts(lines) == [
        ("FAILED", "registry list of kr"),
        ("not asked", "my-registry"),
        ("not asked", "my-registry/app"),
        ("not asked", "my-registry/team/web"),
    ]
    assert ACCOUNT_FAULTS[fault] in remedies(lines)
    assert lines[-1] == "1 FAILED, 3 not asked"


FAULT_REMEDIES = {
    "denied": "NCP_CONTAINER_REGISTRY_VIEWER and API Gateway access",
    "html": "rewrites answers",
    "unavailable": "usually passes",
}


@pytest.mark.parametrize("fault", FAULT_REMEDIES)
def test_what_may_concern_one_operation_is_asked_for_each(fault: str, tmp_path: Path) -> None:
    with answering(source_of(**IMAGES)) as (registry, url):
        registry.fault = FAULTS[fault]
        lines = online(write_config(tmp_path, url, {"name": "my-registry", "images": ["app"]}))
    assert verdicts(lines) == [
        ("warning", "registry list of kr"),
        ("warning", "my-registry"),
        ("FAILED", "my-registry/app"),
        ("warning", "API v3"),
    ]
    assert FAULT_REMEDIES[fault] in remedies(lines)


def test_a_mistaken_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    with answering(source_of(**IMAGES)) as (_, url):
        entry = {"name": "my-registry", "images": ["ap", "app"]}
        said = remedies(online(write_config(tmp_path, url, entry)))
        assert said == "  my-registry/ap: the registry lists no image 'ap'; did you mean 'app'?"
        said = remedies(online(write_config(tmp_path, url, "my-registri")))
        assert (
            "the account has no registry 'my-registri' in kr; did you mean 'my-registry'?" in said
        )
        said = remedies(online(write_config(tmp_path, url, "else")))
        assert "no registry 'else' in kr; it has my-registry" in said


@pytest.mark.parametrize(("offset", "side"), [(412.0, "behind"), (-412.0, "ahead of")])
def test_a_clock_that_is_off_is_told_and_worked_around(
    offset: float, side: str, tmp_path: Path
) -> None:
    with answering(source_of(**IMAGES)) as (registry, url):
        registry.clock_offset = offset
        lines = online(write_config(tmp_path, url, "my-registry"), "--findings", code=0)
    assert re.match(rf"warning  clock +this host's clock is 41[123] s {side} the API's", lines[0])
    assert "clock: run NTP on this host" in remedies(lines)
    assert "signed by the API's" in learned(lines)["clock"]


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_host_that_cannot_be_reached_is_told_with_a_proxy_that_is_not_used(
    unused_port: int, tmp_path: Path
) -> None:
    config = write_config(tmp_path, f"http://127.0.0.1:{unused_port}", "my-registry")
    lines = online(config, "--findings", HTTPS_PROXY="http://proxy.example:3128")
    assert "cannot connect" in lines[0]
    said = remedies(lines)
    assert "check DNS, firewall and proxy" in said
    assert "HTTPS_PROXY is set but not used" in said
    assert learned(lines)["responses"] == "none"


def test_a_hung_api_is_told_after_its_timeout(tmp_path: Path) -> None:
    with answering(source_of(**IMAGES)) as (registry, url):
        registry.fault = FAULTS["hang"]
        lines = online(write_config(tmp_path, url, "my-registry", timeout="200ms"))
    assert "no complete answer within 0.2 s" in lines[0]


def test_a_certificate_of_a_stranger_is_told(tmp_path: Path) -> None:
    with answering(source_of(**IMAGES), tls=server_tls(trustme.CA())) as (_, url):
        lines = online(write_config(tmp_path, url, "my-registry"))
    assert "TLS failed" in lines[0]
    assert "api.ca_file" in remedies(lines)


def test_a_throttled_account_is_told(tmp_path: Path) -> None:
    with answering(source_of(**IMAGES)) as (registry, url):
        registry.fault = throttled_for(3600)
        lines = online(write_config(tmp_path, url, "my-registry"))
    assert verdicts(lines) == [
        ("warning", "registry list of kr"),
        ("FAILED", "my-registry"),
        ("warning", "API v3"),
    ]
    assert "lower api.requests_per_second" in remedies(lines)


def test_what_the_simulated_registry_does_is_learned(tmp_path: Path) -> None:
    with answering(GeneratedSource(), largest_page=50) as (_, url):
        topics = learned(online(write_config(tmp_path, url, "demo-registry"), "--findings", code=0))
    assert topics["page size"] == (
        "v2: not honoured: 50 instead of 100 on pages that have a next one\n"
        "v3: not honoured: 50 instead of 100 on pages that have a next one"
    )
    assert topics["count"].splitlines() == [
        "v2: equals the distinct names in 7 of 7 lists; 3 have several pages",
        "v3: equals the distinct names in 1 of 1 lists; 1 have several pages",
    ]
    assert topics["envelope"].endswith(f"\nv3: {SHAPE} (3)")
    assert re.search(
        r"several platforms: the digest is a platform's in (\d+) of \1", topics["tag digest"]
    )
    assert "HTTP 200 ENDPOINT (" in topics["responses"]
    assert set(topics) == {
        "responses", "clock", "envelope", "page size", "next", "count", "order", "tag digest",
        "tag size", "last pull", "zeros", "times", "fields", "headers", "both versions",
        "These lines con",
    }  # fmt: skip


# Version 3


@pytest.mark.parametrize("version", VERSIONS)
def test_both_versions_stand_side_by_side_for_one_image(version: str, tmp_path: Path) -> None:
    several = [tag(f"v{n}", images=platforms(n), digest=f"sha256:amd-{n}") for n in range(3)]
    source = source_of(app=several, single=[tag(f"v{n}") for n in range(9)])
    with answering(source) as (_, url):
        topics = learned(
            online(write_config(tmp_path, url, "*", version=version), "--findings", code=0)
        )
    assert topics["both versions"].splitlines() == [
        "one image: 3 tags in both, 0 in v2 alone, 0 in v3 alone",
        "equal in both: digest 3 of 3, size 3 of 3, update 3 of 3, platforms 3 of 3",
        f"last pulls of the same platforms, v2 and v3: {PULLS_OF_BOTH}",
    ]
    orders = topics["order"].splitlines()
    assert next(line for line in orders if line.startswith("v3: tag_list: name ascending"))
    digests = topics["tag digest"].splitlines()
    for each in VERSIONS:
        owner = f"{each}: tags with several platforms: it is that of linux/amd64 (3)"
        assert owner in digests
    times = topics["times"].splitlines()
    assert any(line.startswith("v3: tag updatedDateTime: RFC 3339 (") for line in times)
    assert any(line.startswith("v3: image lastPulledDateTime: RFC 3339 (") for line in times) == (
        version == "v3"
    )
    assert any(line.startswith("v2: tag last_updated: milliseconds (") for line in times)


PULLS_OF_BOTH = "the same time (3), 0 and null (2), null and missing (1)"


def platforms(number: int) -> list[dict[str, Any]]:
    """Return an arm64 image that was never pulled, or of which nothing is known, and an amd64."""
    arm = {"architecture": "arm64", "latest_pulled": 0 if number else None}
    return [
        platform(f"sha256:arm-{number}", size=1, **arm),
        platform(f"sha256:amd-{number}", size=2, latest_pulled=PULLED),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_version_3_is_asked_once_for_one_registry(version: str, tmp_path: Path) -> None:
    with answering(source_of(**IMAGES)) as (registry, url):
        lines = online(write_config(tmp_path, url, "my-registry", version=version), code=0)
        asked = [seen.target for seen in registry.requests if "pageSize=1" in seen.target]
    assert asked.count("/api/v3/registries?pageNo=0&pageSize=1") == 1
    assert ("ok", "API v3") in verdicts(lines)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_other_version_is_asked_for_tags_only_where_findings_are_printed_or_kept(
    version: str, tmp_path: Path
) -> None:
    other = "v3" if version == "v2" else "v2"

    def lists_of_tags(*argv: str) -> list[str]:
        with answering(source_of(**IMAGES)) as (registry, url):
            online(write_config(tmp_path, url, "my-registry", version=version), *argv, code=0)
            paths = [seen.target.partition("?")[0] for seen in registry.requests]
        return [path for path in paths if f"/api/{other}/" in path and path.endswith("/tags")]

    assert lists_of_tags() == []
    assert len(lists_of_tags("--findings")) == 1
    assert len(lists_of_tags(f"--record={tmp_path / 'kept'}")) == 1


def test_a_key_that_may_not_use_version_3_is_told_and_fails_nothing(tmp_path: Path) -> None:
    with answering(source_of(**IMAGES)) as (registry, url):
        registry.faults.add(FAULTS["denied"], where="/api/v3/")
        lines = online(write_config(tmp_path, url, "my-registry"), code=0)
        found = learned(online(write_config(tmp_path, url, "my-registry"), "--findings", code=0))
    (line,) = [line for line in lines if "  API v3  " in line]
    assert "this key may not use it: HTTP 401/210 Permission Denied" in line
    assert "API v3: not needed while api.version is v2; to use it, give" in remedies(lines)
    assert "not learned: no image's tags" in found["both versions"]


def test_an_envelope_that_nobody_expected_is_told(tmp_path: Path) -> None:
    with answering(source_of(**IMAGES)) as (registry, url):
        registry.envelope = "an odd name"
        lines = online(write_config(tmp_path, url, "my-registry"), code=0)
        totals = "`totalElements`, `totalPages`, `pageNo`, `pageSize` in `pageMetadata`"
        assert any(f"this key may use it: items in `rows`, {totals}" in line for line in lines)
        registry.faults.add(FAULTS["html"], where="/api/v3/")
        lines = online(write_config(tmp_path, url, "my-registry"), code=0)
    assert any(re.search("^warning  API v3 .*the answer is HTML", line) for line in lines)


def test_a_zone_without_version_3_is_not_asked_for_it(tmp_path: Path) -> None:
    with answering(source_of(**IMAGES), prefix="/ncr/kr/v2") as (registry, url):
        config = write_config(tmp_path, url, "my-registry", zone="government")
        lines = online(config, code=0)
        assert not [seen for seen in registry.requests if "/v3/" in seen.target]
    assert "API v3" not in "\n".join(lines)


KOREAN = "요청을 처리할 수 없습니다"


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ({"LC_ALL": "ko_KR.UTF-8"}, KOREAN),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "ko_KR.UTF-8"}, KOREAN),
        ({"LC_ALL": "ja_JP.UTF-8"}, "リクエスト"),
        ({"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}, "Forbidden."),
        ({"LC_ALL": "de_DE.UTF-8"}, "Forbidden."),
    ],
)
def test_the_details_of_an_error_are_in_the_readers_language(
    locale: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with answering(source_of(**IMAGES)) as (registry, url):
        registry.faults.add(FAULTS["forbidden"], where="/api/v3/")
        lines = online(write_config(tmp_path, url, "my-registry"), code=0, **locale)
        assert any("  API v3  " in line and said in line for line in lines)
        path = write_config(tmp_path, url, "my-registry", version="v3")
        assert said in "\n".join(online(path, **locale))
        logged = run("once", f"--config.file={path}", environ=locale).stderr
    assert "HTTP 403/Forbidden Forbidden (Forbidden.)" in logged, "a log is for whoever reads it"


def test_what_is_learned_holds_no_names(tmp_path: Path) -> None:
    names: dict[str, list[dict[str, Any]]] = {"canary-image": [tag("canary-tag"), tag("v2")]}
    with answering(source_of(**names)) as (_, url):
        lines = online(write_config(tmp_path, url, "my-registry"), "--findings", code=0)
    start = next(
        number for number, line in enumerate(lines) if line.startswith("Findings on the API")
    )
    assert not re.search("canary|my-registry|sha256:[0-9a-z]", "\n".join(lines[start:]))


def test_no_secret_appears_even_at_debug(tmp_path: Path) -> None:
    keys = {"access_key": "CANARY-ACCESS", "secret_key": "CANARY-SECRET"}
    with answering(source_of(**IMAGES)) as (_, url):
        config = write_config(tmp_path, url, "my-registry", keys=keys)
        argv = ("--log.level=debug", f"--record={tmp_path / 'recording'}")
        done = run("check", "--online", f"--config.file={config}", *argv)
    assert done.returncode == 1
    recorded = "".join(path.read_text() for path in (tmp_path / "recording").iterdir())
    assert "CANARY" not in done.stdout + done.stderr + recorded


def test_two_accounts_are_told_apart(tmp_path: Path) -> None:
    other = {"access_key": "OTHER", "secret_key": "other-secret"}
    keys = {KEYS["access_key"]: KEYS["secret_key"], "OTHER": "other-secret"}
    entries: list[dict[str, Any]] = [
        {"name": "my-registry", "images": ["app"]},
        {"name": "my-registry", "label": "theirs", "images": ["app"], "credentials": other},
    ]
    with answering(source_of(**IMAGES), keys=keys) as (registry, url):
        registry.denied.add("OTHER")
        lines = online(write_config(tmp_path, url, *entries))
    assert verdicts(lines) == [
        ("ok", "registry list of kr for my-registry"),
        ("warning", "registry list of kr for theirs"),
        ("ok", "my-registry"),
        ("ok", "my-registry/app"),
        ("warning", "theirs"),
        ("FAILED", "theirs/app"),
        ("ok", "API v3 for my-registry"),
        ("warning", "API v3 for theirs"),
    ]
    assert "theirs/app: give the sub account the policy" in remedies(lines).replace("theirs, ", "")


def test_patterns_that_match_nothing_are_named_with_the_nearest(tmp_path: Path) -> None:
    names: dict[str, list[dict[str, Any]]] = {"api": [tag("v1")], "team/web": [tag("v1")]}
    entry = {"name": "my-registry", "images": ["taem/*", "api"], "exclude": ["*/wbe", "zz-*"]}
    with answering(source_of(**names)) as (_, url):
        lines = online(write_config(tmp_path, url, entry), code=0)
    assert lines[1:5] == [
        "ok       my-registry          2 images listed",
        "warning  my-registry          no image matches 'taem/*'",
        "warning  my-registry          no image matches '*/wbe' of `exclude`",
        "warning  my-registry          no image matches 'zz-*' of `exclude`",
    ]
    at = "  my-registry: no image matches"
    assert remedies(lines).splitlines()[:3] == [
        f"{at} 'taem/*'; did you mean 'team/*'?",
        f"{at} '*/wbe' of `exclude`; did you mean '*/web'?",
        f"{at} 'zz-*' of `exclude`; check the pattern, or leave it out",
    ]
    assert lines[-1] == "4 ok, 3 warnings"


def test_a_glob_whose_images_are_all_excluded_is_not_called_mistyped(tmp_path: Path) -> None:
    entry = {"name": "my-registry", "images": ["team/*", "app"], "exclude": ["*/web"]}
    with answering(source_of(**IMAGES)) as (_, url):
        lines = online(write_config(tmp_path, url, entry), code=0)
    assert "every image that 'team/*' matches is excluded; check `exclude`" in remedies(lines)


def test_an_empty_registry_is_said_to_be_empty(tmp_path: Path) -> None:
    with answering(source_of()) as (_, url):
        entry = {"name": "my-registry", "images": ["team/*"], "exclude": ["*/web"]}
        lines = online(write_config(tmp_path, url, entry), code=0)
    assert lines[1] == "warning  my-registry          the registry is empty: it has no images"
    assert lines[-1] == "2 ok, 1 warning"


def test_findings_are_kept_with_a_recording_and_printed_if_asked_for(tmp_path: Path) -> None:
    with answering(source_of(**IMAGES)) as (_, url):
        config = write_config(tmp_path, url, "my-registry")
        lines = online(config, f"--record={tmp_path / 'kept'}", code=0)
        printed = online(config, "--findings", code=0)
    kept = (tmp_path / "kept" / "findings.txt").read_text().splitlines()
    assert kept[0].startswith("Findings on the API (ncr-exporter ")
    assert "Findings on the API" not in "\n".join(lines)
    responses = len(list((tmp_path / "kept").glob("0*.json")))
    what = f"{responses} redacted responses, and the findings in findings.txt"
    assert f"{tmp_path / 'kept'} holds {what}" in lines
    assert next(line for line in kept if line.startswith("  page size")) in printed
    assert lines[-1] == printed[-1] == "5 ok"
