"""The catalogue is complete: each text in both languages, and no failure outside of it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import ncr_exporter
from ncr_exporter.ncr import errors
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.texts import failures, page, verdicts
from ncr_exporter.texts.text import Message, Text

SOURCE = Path(ncr_exporter.__file__).parent
HANGUL = re.compile("[\uac00-\ud7a3]")
THE_SAME_IN_BOTH = {"SBOM", "", "{n:.0f} %", "English"}
"""Terms, numbers, and languages by their own names."""
AFTER_A_NAME = re.compile(r"\}[”\"']?(?:[은는이가을를과와로]|으로)(?=[ .,]|$)")
"""A particle that depends on the last sound of what is put in before it."""


def texts_in(value: object, place: str) -> Iterator[tuple[str, Text]]:
    if isinstance(value, Text):
        yield place, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from texts_in(each, f"{place}[{key}]")


CATALOGUE = {
    place: text
    for module in (failures, verdicts, page)
    for name, value in vars(module).items()
    for place, text in texts_in(value, f"{module.__name__.rpartition('.')[2]}.{name}")
}


def placeholders(pattern: str) -> set[tuple[str, str, str]]:
    fields = Formatter().parse(pattern)
    return {(name, spec or "", how or "") for _, name, spec, how in fields if name is not None}


def test_the_catalogue_is_all_there_is() -> None:
    assert len(CATALOGUE) > 150


@pytest.mark.parametrize("place", CATALOGUE)
def test_a_text_has_the_same_placeholders_in_each_language(place: str) -> None:
    text = CATALOGUE[place]
    assert placeholders(text.en) == placeholders(text.ko)
    assert placeholders(text.one) in (set(), placeholders(text.en))


@pytest.mark.parametrize("place", CATALOGUE)
def test_a_text_is_in_its_language(place: str) -> None:
    text = CATALOGUE[place]
    if text.en not in THE_SAME_IN_BOTH:
        assert HANGUL.search(text.ko)
        assert not HANGUL.search(text.en + text.one)


@pytest.mark.parametrize("place", CATALOGUE)
def test_no_particle_follows_what_is_put_in(place: str) -> None:
    """Which one is right depends on the name; `개` and `회` after a number always end alike."""
    assert not AFTER_A_NAME.search(CATALOGUE[place].ko)


def errors_raised() -> Iterator[tuple[str, ast.expr]]:
    """Yield the place and the message of each failure that the program makes."""
    kinds = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, ApiError)
    }
    for path in (*(SOURCE / "ncr").glob("*.py"), *(SOURCE / "polling").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                message = node.args[0] if node.func.id in kinds else None
                if message is not None:
                    yield f"{path.name}:{node.lineno}", message


def test_every_failure_is_said_by_the_catalogue() -> None:
    found = dict(errors_raised())
    assert len(found) > 15
    written_out = [
        place
        for place, message in found.items()
        if isinstance(message, ast.JoinedStr | ast.Constant | ast.BinOp)
    ]
    assert written_out == []


def test_every_reason_has_a_name_and_a_remedy() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, ApiError)
    ]
    reasons = {kind.reason for kind in kinds}
    assert reasons == set(failures.REASONS) == set(failures.REMEDIES)
    assert [kind.__name__ for kind in kinds if not isinstance(kind.remedy, Message)] == []
