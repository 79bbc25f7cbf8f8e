"""Image references as clusters print them: read, and placed."""

import time

import pytest

from ncr_exporter.inventory import Running
from ncr_exporter.report.in_use import InUse, Reference, place, read_references
from ncr_exporter.state.model import Description, RegistryState
from tests.support.states import registry_target

HOST = "my-registry.kr.ncr.ntruss.com"
PRIVATE = "abcd1234.kr.private-ncr.ntruss.com"
DIGEST = f"sha256:{'a' * 64}"
BY_TAG = Reference(HOST, "team/app", Running("1.4"))
BY_DIGEST = Reference(HOST, "team/app", Running("", DIGEST))


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        (f"{HOST}/team/app:1.4", BY_TAG),
        (f"{HOST}:443/team/app:1.4", BY_TAG),
        (f"{HOST.upper()}/team/app:1.4", BY_TAG),
        (f'"{HOST}/team/app:1.4",', BY_TAG),
        (f"{HOST}/team/app@{DIGEST}", BY_DIGEST),
        (f"docker-pullable://{HOST}/team/app@{DIGEST}", BY_DIGEST),
        (f"{HOST}/team/app:1.4@{DIGEST}", Reference(HOST, "team/app", Running("1.4", DIGEST))),
        (f"{HOST}/team/app", Reference(HOST, "team/app", Running("latest"))),
        ("nginx", Reference("docker.io", "nginx", Running("latest"))),
        ("team/app:1.4", Reference("docker.io", "team/app", Running("1.4"))),
        ("localhost/app:1.4", Reference("localhost", "app", Running("1.4"))),
        ("localhost:5000/app:1.4", Reference("localhost:5000", "app", Running("1.4"))),
        ("10.0.0.1:5000/app", Reference("10.0.0.1:5000", "app", Running("latest"))),
        (f"{HOST}/app:", None),
        (f"{HOST}/app:-1", None),
        (f"{HOST}/app@sha256", None),
        (f"{HOST}/", None),
        (":1.4", None),
        ("@", None),
    ],
)
def test_a_reference_is_read_as_container_runtimes_read_it(
    text: str, reference: Reference | None
) -> None:
    assert list(read_references(text)) == [reference]


def test_an_image_id_alone_names_no_image_of_a_registry() -> None:
    (found,) = read_references(f"docker://{DIGEST}")
    assert found is None or found.host == "docker.io"


def test_references_are_separated_by_blanks_and_lines() -> None:
    text = f"\n{HOST}/team/app:1.4 {HOST}/team/app:1.4\t{HOST}/team/app@{DIGEST}\r\n\n  \n"
    assert list(read_references(text)) == [BY_TAG, BY_TAG, BY_DIGEST]


def test_a_tag_and_a_digest_on_a_line_of_their_own_are_one_reference() -> None:
    line = f"{HOST}/team/app:1.4 docker-pullable://{HOST}/team/app@{DIGEST}"
    assert list(read_references(line)) == [Reference(HOST, "team/app", Running("1.4", DIGEST))]


@pytest.mark.parametrize(
    "line",
    [
        f"{HOST}/team/app:1.4 {HOST}/other@{DIGEST}",
        f"{HOST}/team/app@{DIGEST} {HOST}/team/app:1.4",
        f"{HOST}/team/app:1.4 {HOST}/team/app:1.5",
        f"{HOST}/team/app:1.4 {HOST}/team/app:1.4 {HOST}/team/app@{DIGEST}",
        f"{HOST}/team/app:1.4 -",
    ],
)
def test_other_neighbours_are_references_of_their_own(line: str) -> None:
    assert len(list(read_references(line))) == len(line.split())


BY_API_SERVER = """\
{host}/old:v2 docker-pullable://{host}/old@sha256:{d}
{host}/old@sha256:{c} nginx:1.27 {host}/old:v1 {host}/old:v2 {host}/old:v2
"""
"""What kubectl printed of one pod that runs by tag and one that waits for a pinned image, with an
init container: the documented command with pairs, and then with `{..image}`."""


def test_what_kubectl_prints_is_placed_and_pairs_are_kept() -> None:
    text = BY_API_SERVER.format(host=HOST, c="c" * 64, d="d" * 64)
    found = place(
        read_references(text),
        [RegistryState(registry_target())],
        {("my-registry", "old"): None},
    )
    assert (found.references, found.placed) == (6, 5)
    assert found.running["my-registry", "old"] == {
        Running("v2", f"sha256:{'d' * 64}"),
        Running("", f"sha256:{'c' * 64}"),
        Running("v1"),
        Running("v2"),
    }


def placed(text: str, *states: RegistryState) -> InUse:
    images = {("my-registry", "team/app"): None}
    return place(read_references(text), states or [RegistryState(registry_target())], images)


def test_a_reference_is_placed_at_the_public_the_private_and_the_documented_host() -> None:
    hosts = ((PRIVATE, "private"),)
    state = RegistryState(registry_target(), description=Description(1.0, hosts, public=False))
    text = f"{HOST}/team/app:1.4\n{PRIVATE}/team/app:1.5\n"
    found = placed(text, state)
    assert found.running == {
        ("my-registry", "team/app"): frozenset({Running("1.4"), Running("1.5")})
    }
    assert (found.references, found.placed, found.not_placed) == (2, 2, 0)
    assert found.unknown_hosts == ()


def test_what_is_not_placed_is_counted_and_hosts_of_ncr_are_named() -> None:
    text = f"nginx {PRIVATE}/team/app:1.4 {HOST}/other:1 {HOST}/team/app:1.4 @"
    found = placed(text)
    assert (found.references, found.placed, found.not_placed) == (5, 1, 4)
    assert found.unknown_hosts == (PRIVATE,)


def test_duplicates_count_as_often_as_they_were_given() -> None:
    found = placed(f"{HOST}/team/app:1.4\n" * 3)
    assert (found.references, found.placed) == (3, 3)
    assert found.running["my-registry", "team/app"] == frozenset({Running("1.4")})


def test_a_large_cluster_is_read_in_no_time() -> None:
    lines = (f"{HOST}/team/app:1.{n} {HOST}/team/app@sha256:{n:064x}" for n in range(100_000))
    text = "\n".join(lines)
    began = time.process_time()
    found = placed(text)
    assert found.placed == 100_000
    assert time.process_time() - began < 2, "about 0.6 s of a processor"
