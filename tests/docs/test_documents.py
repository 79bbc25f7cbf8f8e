"""What is written of the program is what it does: the documents that follow from the code."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ncr_exporter.config.schema import json_schema
from ncr_exporter.config.zones import V3_HOSTS, V3_LARGEST_PAGE
from ncr_exporter.ncr.paths import STYLES
from ncr_exporter.ncr.vocabulary import TOTALS
from tools import manifests
from tools.dashboards.__main__ import DASHBOARDS, file_of
from tools.dependencies import distributions
from tools.documents import DOCUMENTS, ROOT
from tools.storage_table import STORAGE, TASKS

GALLERY = Path(__file__).resolve().parents[1] / "data" / "config"
TYPE_MISTAKES = [
    "image-with-a-tag",
    "image-with-a-digest",
    "image-with-a-question-mark",
    "registry-with-its-url",
    "api-is-a-list",
    "api-is-text",
    "choices-is-empty",
    "choices-is-text",
    "count-is-a-fraction",
    "count-is-negative",
    "duration-is-a-list",
    "duration-is-a-number",
    "duration-like-a-clock",
    "duration-with-a-space",
    "empty-secret",
    "file-name-is-a-number",
    "image-is-a-list",
    "images-is-a-mapping",
    "images-is-empty",
    "images-is-text",
    "key-in-the-wrong-case",
    "list-at-the-top",
    "no-registries",
    "number-is-a-boolean",
    "number-too-large",
    "number-too-small",
    "registries-is-empty",
    "registries-is-text",
    "registry-without-a-name",
    "unknown-key",
    "unknown-key-at-the-top",
    "unknown-key-in-a-registry",
    "unknown-key-in-an-image",
    "unknown-zone",
    "whole-number-with-a-fraction",
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_the_code_makes_it(name: str) -> None:
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == DOCUMENTS[name](), "make docs writes it anew"


def test_the_page_about_the_api_names_what_the_program_asks() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for style in STYLES:
        assert f"`{style.registries}`" in text
        assert f"`{style.page}` from {style.first_page}, `{style.page_size}`" in text
    for host in V3_HOSTS.values():
        assert host.removeprefix("https://").partition(".")[0] in text
    assert f"from 1 to {V3_LARGEST_PAGE:,}" in text
    assert all(f"`{name}`" in text for name in TOTALS[:3])
    assert "Nothing here was tried" in text


GENERATED = {
    **{ROOT / name: "make docs" for name in DOCUMENTS},
    **{file_of(dashboard): "make dashboards" for dashboard in DASHBOARDS},
    **dict.fromkeys(manifests.copies(), "make manifests"),
    **dict.fromkeys((ROOT / "requirements").glob("*.txt"), "make lock"),
}
"""File → what writes it."""
NOBODY_S = ROOT / "tools" / "npm" / "package-lock.json"
"""Written by npm, which leaves no place for a word of ours."""


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", GENERATED, ids=relative)
def test_a_generated_file_says_by_what_it_is_written(path: Path) -> None:
    said = "\n".join(path.read_text(encoding="utf-8").splitlines()[:3])
    if path.parent.name == "dashboards":  # Grafana's JSON has no comments: the README beside it
        beside = next(
            place / "README.md" for place in path.parents if (place / "README.md").exists()
        )
        said = beside.read_text(encoding="utf-8")
        assert "do not edit" in said
    assert GENERATED[path] in said


def test_exactly_the_generated_files_are_folded_in_reviews() -> None:
    lines = (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    patterns = [line.split()[0] for line in lines if line.endswith(" linguist-generated")]
    marked = {path for pattern in patterns for path in ROOT.glob(pattern)}
    assert sorted(map(relative, marked)) == sorted(map(relative, {*GENERATED, NOBODY_S}))


def refused(path: Path) -> bool:
    content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    return not jsonschema.Draft7Validator(json_schema()).is_valid(content)


@pytest.mark.parametrize("path", sorted(GALLERY.glob("*.ok.yml")), ids=lambda path: path.stem)
def test_the_schema_accepts_every_right_configuration(path: Path) -> None:
    assert not refused(path)


@pytest.mark.parametrize("name", TYPE_MISTAKES)
def test_the_schema_refuses_what_an_editor_can_tell(name: str) -> None:
    assert refused(GALLERY / f"{name}.bad.yml")


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())
    assert json.dumps(json_schema())


def test_few_distributions_run_with_the_program_each_pinned_by_hash_and_with_its_reason() -> None:
    locked = distributions()
    assert 0 < len(locked) <= 20
    assert [each.name for each in locked if not (each.is_hashed and each.why)] == []
    lines = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8").splitlines()
    assert [each.name for each in locked] == [n.split("==")[0] for n in lines if "==" in n]


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    source = ROOT / "ncr_exporter"
    rooms = [f"{path.name}/" for path in source.iterdir() if (path / "__init__.py").exists()]
    rooms += [path.stem for path in source.glob("*.py") if not path.name.startswith("__")]
    assert [room for room in rooms if f"`{room}`" not in text] == []


def test_every_module_that_the_way_of_a_tag_passes_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    way = text.partition("## The way of one tag")[2].partition("\n## ")[0]
    named = re.findall(r"`([a-z]+)\.([a-z_]+)`", way)
    assert named
    for room, name in named:
        place = ROOT / "ncr_exporter" / room
        module = place / f"{name}.py" if place.is_dir() else place.with_suffix(".py")
        assert module.exists() or name in _names_of(place), f"{room}.{name}"


def _names_of(place: Path) -> str:
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("*.md")))
def test_links_and_targets_of_make_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    assert [x for x in links if "://" not in x and not (ROOT / x).exists()] == []
    targets = set(re.findall(r"\bmake ([a-z-]+)", " ".join(re.findall(r"`([^`]+)`", text))))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [x for x in targets if not re.search(rf"^{x}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("what", [*STORAGE, *TASKS])
def test_what_is_told_of_storage_and_background_work_has_its_test(what: str) -> None:
    file, name = ({**STORAGE, **TASKS})[what].test.split("::")
    assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")
