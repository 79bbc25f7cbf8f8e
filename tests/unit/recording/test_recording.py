"""Recordings: what is kept of answers, what is not, and that they can be replayed."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from ncr_exporter.config import parse
from ncr_exporter.ncr.versions import VERSIONS
from ncr_exporter.recording.exchange import Exchange
from ncr_exporter.recording.reading import read_recording
from ncr_exporter.recording.recorder import Recorder, RecordError
from ncr_exporter.recording.redact import Redactor
from ncr_exporter.simulator.data import FixedSource, GeneratedSource
from ncr_exporter.simulator.faults import FAULTS
from tests.support import program
from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.expositions import samples_of
from tests.support.in_process import run
from tests.support.program import demo

BASE = "/ncr/api/v2/repositories"
CANARY = "canary"
EACH_VERSION = pytest.mark.parametrize("version", VERSIONS)


def exchange(target: str, body: object, **fields: Any) -> Exchange:
    given = {"request_headers": {}, "status": 200, "headers": {}, "received": 1.0}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(target, body=text, **{**given, **fields})


def kept(target: str, body: object, *, keep_names: bool = False, **fields: Any) -> dict[str, Any]:
    return Redactor(keep_names=keep_names)(exchange(target, body, **fields))


def record(directory: Path, url: str, *argv: str, code: int = 0, **config: Any) -> Path:
    recording = directory / "recording"
    registry = config.pop("registry", "my-registry")
    path = write_config(directory, url, registry, **config)
    done = run("check", "--online", f"--config.file={path}", f"--record={recording}", *argv)
    assert done.returncode == code, done.stdout + done.stderr
    return recording


SECRETIVE = {
    "name": "canary-tag",
    "creator": "canary-person",
    "last_updater": "canary-other",
    "digest": "sha256:sha256:0123456789abcdefca0a12",
    "id": 987654321,
    "image_id": 123454321,
    "repository": 424242,
    "full_size": 31337,
    "last_updated": 1_758_000_000_000,
    "undocumented": "canary-text",
    "undocumented_number": 555000555,
    "undocumented_list": ["canary-1", {"canary-key": "canary-2"}],
    "v2": True,
    "images": [{"digest": "sha256:fedcba", "size": 31337, "os": "linux", "latest_pulled": 0}],
}


def test_names_ids_and_texts_are_replaced_and_numbers_that_matter_stay() -> None:
    content = kept(
        f"{BASE}/canary-reg/canary%2Fapp/tags?page=1&pagesize=5", {"results": [SECRETIVE]}
    )
    assert CANARY not in json.dumps(content)
    for number in (987654321, 123454321, 424242, 555000555):
        assert str(number) not in json.dumps(content)
    assert (
        content["request"]["target"] == f"{BASE}/registry-1/part-1%2Fpart-2/tags?page=1&pagesize=5"
    )
    (record,) = content["response"]["body"]["json"]["results"]
    assert list(record)[:10] == list(SECRETIVE)[:10], "fields keep their names and their order"
    assert (record["full_size"], record["last_updated"], record["v2"]) == (
        31337,
        1_758_000_000_000,
        True,
    )
    assert re.fullmatch("sha256:sha256:[0-9a-f]{22}", record["digest"])
    assert record["digest"] != SECRETIVE["digest"]
    assert record["images"][0]["latest_pulled"] == 0


def test_one_value_has_one_pseudonym_wherever_it_stands() -> None:
    redact = Redactor(keep_names=False)
    list_of_images = redact(
        exchange(
            f"{BASE}/shop?page=1&pagesize=5",
            {"results": [{"name": "a/web", "namespace": "shop"}, {"name": "a/api"}]},
        )
    )
    tags = redact(exchange(f"{BASE}/shop/a%2Fapi/tags?page=1&pagesize=5", {"results": []}))
    (web, api) = list_of_images["response"]["body"]["json"]["results"]
    assert (web["name"], web["namespace"], api["name"]) == (
        "part-1/part-2",
        "registry-1",
        "part-1/part-3",
    )
    assert tags["request"]["target"].startswith(f"{BASE}/registry-1/part-1%2Fpart-3/tags?")


def test_version_3_is_redacted_as_version_2_is() -> None:
    record = {
        "name": "canary-reg",
        "bucketName": "canary-bucket",
        "publicEndpointHost": "canary-reg.sg.ncr.ntruss.com",
        "privateEndpointHost": "canary1.sg.private-ncr.ntruss.com",
        "createdDateTime": "2026-08-24T07:12:33Z",
        "publicRegistryEnabled": False,
        "storageTypeCode": "OBJECT_STORAGE",
    }
    totals = {"totalElements": 1, "totalPages": 1, "pageNo": 0, "pageSize": 20}
    target = "/api/v3/registries?pageNo=0&pageSize=5"
    content = kept(target, {"content": [record], "page": totals})
    assert content["request"]["target"] == target
    assert content["response"]["body"]["json"] == {
        "content": [
            {
                **record,
                "name": "registry-1",
                "bucketName": "bucketName-1",
                "publicEndpointHost": "registry-1.sg.ncr.ntruss.com",
                "privateEndpointHost": "id-1.sg.private-ncr.ntruss.com",
            }
        ],
        "page": totals,
    }
    path = "/api/v3/registries/canary-reg/images/canary%2Fapp/tags"
    query = "pageNo=0&pageSize=5&sort=name,asc"
    content = kept(f"{path}?{query}", {"tags": []})
    kept_path = "/api/v3/registries/registry-1/images/part-1%2Fpart-2/tags"
    assert content["request"]["target"] == f"{kept_path}?{query}"


def test_the_fields_that_an_error_of_version_3_refuses_are_kept() -> None:
    error = {
        "errorCode": "InvalidParameter",
        "message": "Invalid parameter",
        "detail": "account 1234567 asked for too much",
        "fieldErrors": [{"field": "pageSize", "message": "at most 1000"}],
    }
    content = kept("/api/v3/registries?pageNo=0&pageSize=5", {"error": error}, status=400)
    assert content["response"]["body"]["json"]["error"] == {
        **error,
        "detail": "account # asked for too much",
    }


def record_of_region(host: str) -> dict[str, Any]:
    headers = {"host": host}
    target = "/api/v3/registries/shop/images?pageNo=0&pageSize=5"
    body = {"images": [{"name": "app"}]}
    return kept(target, body, keep_names=True, request_headers=headers)


@pytest.mark.parametrize(
    ("host", "region"),
    [("sg-ncr.apigw.ntruss.com", "sgn"), ("kr-ncr.apigw.ntruss.com", "kr"), ("127.0.0.1", "kr")],
)
def test_in_version_3_the_host_tells_the_region(host: str, region: str, tmp_path: Path) -> None:
    meta = {"format": 1, "zone": "public", "page_size": 5, "version": "v3"}
    (tmp_path / "recording.json").write_text(json.dumps(meta))
    (tmp_path / "00001.json").write_text(json.dumps(record_of_region(host)))
    assert read_recording(tmp_path).registries == [{"name": "shop", "region": region}]


def test_a_recording_from_before_version_3_is_one_of_version_2(tmp_path: Path) -> None:
    (tmp_path / "recording.json").write_text(GOOD_META)
    (tmp_path / "00001.json").write_text(json.dumps(kept(f"{BASE}?page=1&pagesize=5", {})))
    assert read_recording(tmp_path).version == "v2"


def test_hosts_keep_what_is_documented_of_them() -> None:
    registries = [
        {
            "end_point": "shop.kr.ncr.ntruss.com",
            "name": "shop",
            "private_end_point": "abc123.kr.private-ncr.ntruss.com",
            "private_id": "abc123",
            "bucket": "canary-bucket",
        },
        {"end_point": "registry.canary.example", "name": "other"},
    ]
    content = kept(f"{BASE}?page=1&pagesize=5", {"results": registries})
    first, second = content["response"]["body"]["json"]["results"]
    assert first == {
        "end_point": "registry-1.kr.ncr.ntruss.com",
        "name": "registry-1",
        "private_end_point": "id-1.kr.private-ncr.ntruss.com",
        "private_id": "private_id-1",
        "bucket": "bucket-1",
    }
    assert second["end_point"] == "host-1"


def test_headers_are_kept_by_name_and_few_by_value() -> None:
    content = kept(
        f"{BASE}?page=1&pagesize=5",
        {},
        request_headers={
            "host": "proxy.canary.example",
            "x-ncp-iam-access-key": "canary",
            "x-ncp-apigw-signature-v2": "canary",
            "accept": "application/json",
        },
        headers={"x-ncp-trace-id": "canary", "retry-after": "2", "set-cookie": "canary"},
    )
    assert CANARY not in json.dumps(content)
    assert content["request"]["headers"]["accept"] == "application/json"
    assert content["request"]["headers"]["x-ncp-iam-access-key"] == "<removed>"
    assert content["response"]["headers"] == {
        "x-ncp-trace-id": "<removed>",
        "retry-after": "2",
        "set-cookie": "<removed>",
    }


def test_the_words_of_an_error_stay_without_what_they_name() -> None:
    error = {
        "returnCode": "404",
        "returnMessage": "repository canary-reg: image canary-app of account 1234567 at "
        "10.1.2.3 (a@b.example, 0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f) does not exist",
    }
    content = kept(f"{BASE}/canary-reg/canary-app/tags?page=1&pagesize=5", error, status=404)
    assert content["response"]["body"]["json"] == {
        "returnCode": "404",
        "returnMessage": "repository registry-1: image part-1 of account # at # (#, #) "
        "does not exist",
    }


def test_of_what_is_no_json_only_the_beginning_is_kept() -> None:
    content = kept(f"{BASE}?page=1&pagesize=5", b"<!doctype html><p>canary")
    assert content["response"]["body"] == {"not_json": "<!doctype html>", "length": 24}


def test_names_may_be_kept_and_nothing_else_is() -> None:
    content = kept(
        f"{BASE}/shop/app/tags?page=1&pagesize=5", {"results": [SECRETIVE]}, keep_names=True
    )
    (record,) = content["response"]["body"]["json"]["results"]
    assert record["name"] == "canary-tag"
    assert "canary-person" not in json.dumps(content)
    assert content["request"]["target"].startswith(f"{BASE}/shop/app/tags")


@EACH_VERSION
def test_a_whole_recording_holds_nothing_of_the_source(version: str, tmp_path: Path) -> None:
    images = {"canary/app": [SECRETIVE, tag("canary-2")], "canary/web": [tag("latest")]}
    with answering(FixedSource("canary-registry", images)) as (registry, url):
        registry.faults.add(FAULTS["missing-500"], where="web", times=1)
        recording = record(tmp_path, url, registry="canary-registry", version=version)
    assert json.loads((recording / "recording.json").read_text())["version"] == version
    text = "".join(path.read_text() for path in recording.iterdir())
    assert CANARY not in text
    assert url.removeprefix("http://") not in text
    assert '"name": "latest"' in text


@EACH_VERSION
def test_a_recording_with_names_replays_to_the_same_values(version: str, tmp_path: Path) -> None:
    with answering(GeneratedSource()) as (_, url):
        recording = record(tmp_path, url, "--record-names", registry="*", version=version)
        config = tmp_path / "ncr-exporter.yml"
        before = samples_of(run("once", f"--config.file={config}").stdout)
    with demo(f"--replay={recording}") as replay:
        replay.ready()
        after = samples_of(replay.get().text)
        assert replay.stop()[0] == 0
    compared = ("ncr_image_tags", "ncr_image_size_bytes", "ncr_image_stale_tags", "ncr_image_pulls")
    some = {key: value for key, value in before.items() if key[0].startswith(compared)}
    assert len(some) >= 4 * 7
    pulled = {key for key in some if key[0] == "ncr_image_pulls_total"}
    for key, value in some.items():
        assert after[key] == pytest.approx(value, rel=0.01 if key in pulled else 0), key


@EACH_VERSION
def test_failures_are_replayed_too(version: str, tmp_path: Path) -> None:
    with answering(source_of(app=[tag("v1")], web=[tag("v1")])) as (registry, url):
        registry.faults.add(FAULTS["denied"], where="/web/")
        listed = {"v2": "my-registry?", "v3": "my-registry/images?"}
        registry.faults.add(FAULTS["html"], where=listed[version])
        entry = {"name": "my-registry", "images": ["app", "web"]}
        recording = record(tmp_path, url, code=1, registry=entry, version=version)
    with demo(f"--replay={recording}") as replay:
        replay.ready()
        text = replay.get().text
        assert replay.stop()[0] == 0
    assert 'ncr_image_up{registry="registry-1",image="part-1"} 1' in text
    assert 'ncr_image_up{registry="registry-1",image="part-2"} 0' in text
    denied = 'registry="registry-1",operation="tag_list",reason="permission"} 1\n'
    malformed = 'registry="registry-1",operation="image_list",reason="malformed"} 1\n'
    assert denied in text
    assert malformed in text


def test_a_recording_is_not_written_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "recording").mkdir()
    (tmp_path / "recording" / "other").write_text("precious")
    with answering(source_of()) as (registry, url):
        path = write_config(tmp_path, url, "my-registry")
        done = run("check", "--online", f"--config.file={path}", f"--record={tmp_path}/recording")
        assert not registry.requests
    assert done.returncode == 2
    assert "is not empty; name a new directory" in done.stderr


def test_a_recording_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = write_config(tmp_path, "http://127.0.0.1:1", "my-registry")
    done = run("check", "--online", f"--config.file={path}", f"--record={path}/recording")
    assert done.returncode == 2
    assert "--record: " in done.stderr
    assert "Not a directory" in done.stderr


def test_a_disk_that_fails_in_the_middle_is_told_in_the_end(tmp_path: Path) -> None:
    directory = tmp_path / "recording"
    config = parse("registries: [a]", "", {})
    recorder = Recorder(directory, config, keep_names=False)
    recorder.add(exchange(f"{BASE}?page=1&pagesize=5", {}))
    assert recorder.finish() == f"{directory} holds 1 redacted response"
    shutil.rmtree(directory)
    for _ in range(2):
        recorder.add(exchange(f"{BASE}?page=2&pagesize=5", {}))
    with pytest.raises(RecordError, match=r"--record: .*00002\.json: No such file or directory"):
        recorder.finish()


GOOD_META = '{"format": 1, "zone": "public", "page_size": 100}'


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "recording.json cannot be read: No such file"),
        ({"recording.json": "{"}, "is not part of a recording"),
        ({"recording.json": "[]"}, "is not part of a recording"),
        (
            {"recording.json": '{"format": 99}'},
            "has a format that this version cannot read",
        ),
        (
            {"recording.json": '{"format": 1, "zone": "public", "page_size": 1, "version": "v9"}'},
            "has a format that this version cannot read",
        ),
        ({"recording.json": GOOD_META}, "holds no recorded responses"),
        (
            {"recording.json": GOOD_META, "00001.json": "{}"},
            "00001.json holds no recorded response",
        ),
        ({"recording.json": GOOD_META, "00001.json": "nonsense"}, "is not part of a recording"),
    ],
)
def test_what_is_no_recording_is_refused_in_words(
    files: dict[str, str], why: str, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = run("demo", f"--replay={tmp_path}")
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_a_recording_decides_the_version_that_it_is_replayed_in(tmp_path: Path) -> None:
    done = run("demo", f"--replay={tmp_path}", "--api-version=v3")
    assert done.returncode == 2
    assert "leave out --api-version: a recording is replayed in its own version" in done.stderr


def test_tags_and_replay_exclude_each_other(tmp_path: Path) -> None:
    done = program.run("demo", f"--replay={tmp_path}", f"--tags={tmp_path}/a.json")
    assert done.returncode == 2
    assert "give --tags or --replay, not both" in done.stderr
