"""How documents and help texts are written: short sentences, plain words, links that lead on."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ncr_exporter.cli.main import COMMANDS, command_named
from ncr_exporter.config.model import Api, CredentialsConfig, RegistryConfig, Settings, options_of
from ncr_exporter.metrics.families import SECTIONS
from ncr_exporter.simulator.faults import FAULTS
from tests.support.prose import anchors, links, paragraphs, sentences, words_of
from tests.support.readme import KOREAN, ROOT
from tools.fault_table import CLOCKS, TABLE

LONGEST = 30
"""Words of a sentence."""
RIDDLES = re.compile(
    r"\b(but for|mend(?:s|ed|ing)?|so many|stands?(?!-)|do(?:es)? so|did so|likewise|anew|who asks"
    r"|whoever|tells? whether)\b",
    re.IGNORECASE,
)
"""Words that readers stumble over; there is always a plainer one."""
LEFT_OUT = {"build", "dist", "tests", "node_modules"}
IN_PARTS = {"tools/chart_readme.md", "deploy/helm/ncr-exporter/files/README.md"}
"""Parts of other documents, and notes beside generated files: no reader is sent there."""


def documents() -> dict[str, str]:
    """Path → text of every document."""
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return {
        path.as_posix(): (ROOT / path).read_text(encoding="utf-8")
        for path in sorted(files)
        if not LEFT_OUT & set(path.parts) and not any(x.startswith(".") for x in path.parts)
    }


DOCUMENTS = documents()
IN_ENGLISH = {name: text for name, text in DOCUMENTS.items() if not name.endswith(".ko.md")}


def helps() -> Iterator[tuple[str, str]]:
    """Yield every help text with what it is about."""
    for name in COMMANDS:
        command = command_named(name)
        yield name, command.summary
        yield from ((flag.name, flag.help) for flag in command.flags)
    for model in (Api, CredentialsConfig, Settings, RegistryConfig):
        yield from ((key, option.metadata["help"]) for key, option in options_of(model).items())
    for families in SECTIONS.values():
        yield from ((family.name, family.help) for family in families)
    for fault in FAULTS.values():
        yield fault.name, f"{fault.help}. {TABLE[fault.name].words}"
    yield from ((clock, told.words) for clock, told in CLOCKS.items())


TEXTS = {
    **{name: list(paragraphs(text)) for name, text in IN_ENGLISH.items()},
    "the help texts": [text for _, text in helps()],
}


@pytest.mark.parametrize("name", TEXTS)
def test_no_sentence_is_long(name: str) -> None:
    found = [sentence for text in TEXTS[name] for sentence in sentences(text)]
    assert [sentence for sentence in found if len(words_of(sentence)) > LONGEST] == []


@pytest.mark.parametrize("name", TEXTS)
def test_no_sentence_is_a_riddle(name: str) -> None:
    found = [sentence for text in TEXTS[name] for sentence in sentences(text)]
    assert [sentence for sentence in found if RIDDLES.search(sentence)] == []


def files_to_edit() -> list[Path]:
    """The examples, rules, units and values that users read and change, and the help of make."""
    kinds = {".yml", ".yaml", ".txt", ".service", ".timer", ".env", ".tmpl", ".json"}
    deployed = (path for path in (ROOT / "deploy").rglob("*") if path.suffix in kinds)
    return [ROOT / "Makefile", *(ROOT / "examples").glob("*.yml"), *deployed]


def test_what_users_edit_holds_no_riddle() -> None:
    said = {
        str(path.relative_to(ROOT)): [
            line for line in path.read_text(encoding="utf-8").splitlines() if RIDDLES.search(line)
        ]
        for path in files_to_edit()
    }
    assert len(said) > 30
    assert {name: lines for name, lines in said.items() if lines} == {}


def test_a_long_sentence_and_a_riddle_are_found() -> None:
    text = f"# Title\n\n- It works. {'Word ' * 31}[a link](x.md).\n\n| a | do so |\n|---|---|\n"
    found = [sentence for part in paragraphs(text) for sentence in sentences(part)]
    assert found[:2] == ["Title", "It works."]
    assert [len(words_of(sentence)) for sentence in found] == [1, 2, 33, 1, 2]
    assert [bool(RIDDLES.search(sentence)) for sentence in found][-1]


@cache
def anchors_of(path: Path) -> set[str]:
    return anchors(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    here = ROOT / name
    for link in links(DOCUMENTS[name]):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (here.parent / path).resolve() if path else here
        assert target.exists(), link
        if anchor:
            assert anchor in anchors_of(target), link


@pytest.mark.parametrize("itself", ["README.md", "README.ko.md"])
def test_the_readme_lists_every_document(itself: str) -> None:
    text = DOCUMENTS[itself]
    listed = {ROOT / link.partition("#")[0] for link in links(text) if link[0] != "#"}
    folders = {path for path in listed if path.is_dir()}
    missing = [
        name
        for name in DOCUMENTS
        if (path := ROOT / name) not in listed and not folders & set(path.parents)
    ]
    assert set(missing) == {itself, *IN_PARTS}


def test_the_korean_readme_says_where_a_page_is_english() -> None:
    prose = KOREAN.prose.partition("## 전체 문서")[0]
    for text, link in re.findall(r"(?<!!)\[([^\]]+)\]\(([^)#]+)[^)]*\)", prose):
        is_english = link.endswith(".md") and not link.endswith(".ko.md") and text != "English"
        assert "(영문)" in text or not is_english, text


def test_what_a_decision_needs_is_said_where_it_is_made() -> None:
    said = [
        name for name, text in IN_ENGLISH.items() if re.search("not\\s+unused", text, re.IGNORECASE)
    ]
    assert sorted(said) == [
        "README.md",
        "docs/deleting.md",
        "docs/first-minutes.md",
        "docs/metrics.md",
        "docs/reports.md",
        "docs/runbooks/NCRImageUnused.md",
    ]
