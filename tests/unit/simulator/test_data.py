"""The demo's data: believable, the same for everybody, and moving with time."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from ncr_exporter.inventory import NEVER, Tag
from ncr_exporter.inventory.attached import attachment_of
from ncr_exporter.ncr.pages import decode_page
from ncr_exporter.simulator.api_records import JsonRecord
from ncr_exporter.simulator.data import (
    FixedSource,
    GeneratedSource,
    file_source,
    images,
    load_tags,
    registries,
    tags,
)

NOW = 1_767_236_400_000  # 2026-01-01 03:00 UTC, on a five-minute mark
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

IMAGES = [
    (registry["name"], image["name"])
    for registry in registries(NOW)
    for image in images(registry["name"], NOW)
]

# Source: the vendor's "Get image tag list", response syntax.
TAG_FIELDS = {
    "creator": str,
    "digest": str,
    "full_size": int,
    "id": int,
    "image_id": int,
    "images": list,
    "last_updated": int | None,
    "last_updater": str,
    "name": str,
    "repository": int,
    "v2": bool,
}
PLATFORM_FIELDS = {
    "architecture": str,
    "created": int,
    "digest": str,
    "features": str,
    "latest_pulled": int,
    "mediaType": str,
    "os": str,
    "os_features": str,
    "os_version": str | None,
    "size": int,
    "updated": int,
    "variant": str | None,
}
REGISTRY_FIELDS = (
    "bucket created end_point end_point_enabled name private_end_point private_id "
    "public_reg_status scan_on_push_enabled status"
)


def named(records: list[JsonRecord], name: str) -> JsonRecord:
    return {record["name"]: record for record in records}[name]


def as_read(records: list[JsonRecord], now_ms: int) -> tuple[Tag, ...]:
    """Return what our own client makes of the records; nothing may be malformed."""
    page = decode_page("tag_list", json.dumps({"results": records}).encode(), now_ms)
    assert page.malformed == 0
    return tuple(page.records)


def read(registry: str, image: str, now_ms: int = NOW) -> tuple[Tag, ...]:
    return as_read(tags(registry, image, now_ms), now_ms)


class TestShape:
    """Records look as the vendor documents them."""

    def test_there_are_at_least_two_registries_in_the_documented_shape(self) -> None:
        assert [registry["name"] for registry in registries(NOW)] == ["demo-registry", "demo-base"]
        for registry in registries(NOW):
            assert " ".join(registry) == REGISTRY_FIELDS
            assert registry["end_point"] == f"{registry['name']}.kr.ncr.ntruss.com"

    def test_an_image_names_its_registry_and_its_newest_push(self) -> None:
        image = named(images("demo-registry", NOW), "api")
        assert image["namespace"] == "demo-registry"
        assert image["pull_count"] > 0
        newest = max(tag["last_updated"] for tag in tags("demo-registry", "api", NOW))
        assert image["last_updated"] == newest

    @pytest.mark.parametrize(("registry", "image"), IMAGES)
    def test_tags_have_the_documented_fields_and_types(self, registry: str, image: str) -> None:
        for tag in tags(registry, image, NOW):
            assert list(tag) == [name for name in TAG_FIELDS if name in tag]
            assert TAG_FIELDS.keys() - tag.keys() <= {"digest"}
            assert all(isinstance(tag[name], TAG_FIELDS[name]) for name in tag)
            for platform in tag["images"]:
                assert PLATFORM_FIELDS.keys() - platform.keys() <= {"digest"}
                assert all(isinstance(platform[name], PLATFORM_FIELDS[name]) for name in platform)

    @pytest.mark.parametrize(("registry", "image"), IMAGES)
    def test_names_are_distinct_and_nothing_lies_in_the_future(
        self, registry: str, image: str
    ) -> None:
        listed = read(registry, image)
        assert len({tag.name for tag in listed}) == len(listed) > 0
        assert all((tag.updated or 0) <= NOW and (tag.pulled or 0) <= NOW for tag in listed)
        assert all(10e6 < (tag.size or 0) < 1e9 for tag in listed if not attachment_of(tag.name))

    def test_an_unknown_registry_or_image_is_a_key_error(self) -> None:
        with pytest.raises(KeyError):
            images("nowhere", NOW)
        with pytest.raises(KeyError):
            tags("nowhere", "api", NOW)
        with pytest.raises(KeyError):
            tags("demo-registry", "nothing", NOW)


class TestTime:
    """What is listed follows from the time alone, and moves with it."""

    @pytest.mark.parametrize(("registry", "image"), IMAGES)
    def test_two_calls_in_the_same_five_minutes_agree(self, registry: str, image: str) -> None:
        assert tags(registry, image, NOW) == tags(registry, image, NOW + 5 * MINUTE - 1)
        assert images(registry, NOW) == images(registry, NOW + 5 * MINUTE - 1)

    def test_pulls_go_on(self) -> None:
        before, after = NOW, NOW + 20 * MINUTE
        assert named(tags("demo-registry", "api", before), "latest") != named(
            tags("demo-registry", "api", after), "latest"
        )
        counts = [
            named(images("demo-registry", now), "api")["pull_count"] for now in (before, after)
        ]
        assert counts[0] < counts[1]

    def test_a_tag_in_use_was_pulled_within_the_last_minutes(self) -> None:
        newest = max(tag.pulled or 0 for tag in read("demo-registry", "api"))
        assert NOW - newest < 30 * MINUTE

    @pytest.mark.parametrize(("registry", "image"), IMAGES)
    def test_no_pull_is_ever_taken_back(self, registry: str, image: str) -> None:
        pulled: dict[str, int] = {}
        released = {tag["name"] for tag in tags(registry, image, NOW)} - {"latest", "stable"}
        for now in range(NOW, NOW + 2 * DAY, 115 * MINUTE):
            for tag in read(registry, image, now):
                if tag.name in released and tag.pulled is not None:
                    assert tag.pulled >= pulled.get(tag.name, 0)
                    pulled[tag.name] = tag.pulled

    def test_a_release_appears_every_six_hours(self) -> None:
        names = [
            {tag["name"] for tag in tags("demo-registry", "api", NOW + hours * HOUR)}
            for hours in (0, 3, 9)
        ]
        assert len(names[1] - names[0]) == 1
        assert len(names[2] - names[1]) == 1

    def test_before_anything_was_made_there_is_nothing(self) -> None:
        assert tags("demo-registry", "api", 0) == []
        assert named(images("demo-registry", 0), "api")["last_updated"] is None
        assert named(images("demo-registry", 0), "api")["pull_count"] == 0


class TestWhatIsWorthSeeing:
    """Each image of the demo shows what it is there for."""

    @pytest.mark.parametrize("days", range(6))
    def test_one_image_needs_several_pages_and_is_cleaned_up_now_and_then(self, days: int) -> None:
        assert 240 < len(tags("demo-registry", "api", NOW + days * DAY)) < 262

    def test_latest_and_a_version_share_one_digest(self) -> None:
        listed = tags("demo-registry", "web/frontend", NOW)
        latest, version = listed[0], listed[2]
        assert (latest["name"], version["name"]) == ("latest", "2.4.16")
        assert latest["digest"] == version["digest"]
        assert latest["images"] == version["images"]
        assert latest["id"] != version["id"]

    def test_one_image_is_built_for_two_platforms(self) -> None:
        platforms = tags("demo-registry", "web/frontend", NOW)[0]["images"]
        names = [(p["os"], p["architecture"], p["variant"]) for p in platforms]
        assert names[:2] == [("linux", "amd64", None), ("linux", "arm64", "v8")]
        assert names[2:] == [("unknown", "unknown", None)] * 2, "an attestation of each"
        assert len({platform["digest"] for platform in platforms}) == 4

    @pytest.mark.parametrize("image", ["api", "web/frontend"])
    def test_a_tag_has_the_digest_and_size_of_its_representative_platform(self, image: str) -> None:
        for tag in tags("demo-registry", image, NOW):
            amd64 = tag["images"][0]
            assert (tag["digest"], tag["full_size"]) == (amd64["digest"], amd64["size"])
            assert tag["digest"].startswith("sha256:")
            assert len(tag["digest"]) == len("sha256:") + 64

    def test_each_release_of_one_image_is_signed(self) -> None:
        listed = read("demo-registry", "ml/recommender")
        releases = {str(tag.digest) for tag in listed if not attachment_of(tag.name)}
        subjects = [found.subject for tag in listed if (found := attachment_of(tag.name))]
        assert sorted(subjects) == sorted(releases)

    def test_nobody_pulls_the_abandoned_image_and_some_of_it_nobody_ever_did(self) -> None:
        pulls = [tag.pulled for tag in read("demo-registry", "legacy/report")]
        assert NEVER in pulls
        newest = max(pull for pull in pulls if pull)
        assert NOW - newest > 4 * 365 * DAY

    @pytest.mark.parametrize("hours", [0, 7, 14, 21])
    def test_the_newest_batch_image_is_fresh_and_never_pulled(self, hours: int) -> None:
        now = NOW + hours * HOUR
        newest, *older = read("demo-registry", "batch/settlement", now)
        assert newest.pulled == NEVER
        assert now - (newest.updated or 0) <= DAY + 5 * MINUTE
        assert all(tag.pulled for tag in older)

    def test_one_image_grows_with_every_release(self) -> None:
        listed = read("demo-registry", "ml/recommender")[1:]
        sizes = [tag.size or 0 for tag in listed if not attachment_of(tag.name)]
        assert all(newer > older for newer, older in pairwise(sizes))

    def test_old_imports_lack_what_real_registries_lack(self) -> None:
        listed = tags("demo-base", "runtime", NOW)
        assert named(listed, "0.1-import")["images"] == []
        assert named(listed, "0.2-import")["last_updated"] is None
        assert "digest" not in named(listed, "0.3-import")
        assert all("digest" not in p for p in named(listed, "0.3-import")["images"])
        assert named(listed, "0.4-import")["full_size"] == 0
        assert len(named(listed, "0.4-import")["images"]) == 2


class TestFromAFile:
    """`--tags=FILE`."""

    def test_tags_are_served_as_they_are(self, tmp_path: Path) -> None:
        listed = [
            {"name": "1", "images": [{"latest_pulled": 5}, {"latest_pulled": 0}], "odd": True},
            {"name": "2", "images": None, "last_updated": 7},
        ]
        path = tmp_path / "nginx-tags.json"
        path.write_text(json.dumps(listed))
        source = file_source(path)
        assert source.tags("demo-registry", "nginx", NOW) == listed
        assert [registry["name"] for registry in source.registries(NOW)] == ["demo-registry"]
        (image,) = source.images("demo-registry", NOW)
        assert (image["name"], image["last_updated"], image["pull_count"]) == ("nginx", 7, 1)

    def test_what_is_not_there_is_a_key_error(self) -> None:
        source = FixedSource("demo-registry", {"nginx": []})
        with pytest.raises(KeyError):
            source.images("demo-base", NOW)
        with pytest.raises(KeyError):
            source.tags("demo-base", "nginx", NOW)
        with pytest.raises(KeyError):
            source.tags("demo-registry", "apache", NOW)

    def test_the_generated_source_serves_the_generated_data(self) -> None:
        source = GeneratedSource()
        assert source.registries(NOW) == registries(NOW)
        assert source.images("demo-base", NOW) == images("demo-base", NOW)
        assert source.tags("demo-base", "runtime", NOW) == tags("demo-base", "runtime", NOW)

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            (b"", "is not JSON: Expecting value in line 1, column 1"),
            (b'[\n {"name": }]', "is not JSON: Expecting value in line 2, column 11"),
            (b'["\xe9"]', "is not JSON: it is not text in UTF-8"),
            (b"[" * 100_000, "is nested too deeply to be a list of tags"),
            (b'{"name": "1"}', "must hold a JSON array of tags, not an object"),
            (b'{"results": []}', "not an object; save only the array in `results`"),
            (b"null", "must hold a JSON array of tags, not null"),
            (b"12", "must hold a JSON array of tags, not a number"),
            (b'[{"name": "1"}, "2"]', "must hold tags: item 1 is a text, not an object"),
            (b"[[]]", "must hold tags: item 0 is an array, not an object"),
            (b"[true]", "must hold tags: item 0 is true or false, not an object"),
        ],
    )
    def test_a_file_that_holds_no_tags_is_refused_in_words(
        self, tmp_path: Path, content: bytes, complaint: str
    ) -> None:
        path = tmp_path / "tags.json"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"tags\.json") as refused:
            load_tags(path)
        assert str(path) in str(refused.value)
        assert complaint in str(refused.value)
