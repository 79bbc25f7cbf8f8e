"""Sentences of documents and help texts."""

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^([ ]*)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)]*)\)")
_CODE = re.compile(r"`[^`]*`")
_START = re.compile(r"^\s*(?:[-*]|\d+\.|#+|>)\s+")
_END = re.compile(r"(?<=[.!?])[)*_\"”]*\s+(?=[\"“(*_\[]*[A-Z0-9`])")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def paragraphs(markdown: str) -> Iterator[str]:
    """Yield each paragraph, item of a list and cell of a table, without blocks of code."""
    text = _COMMENT.sub("", _FENCE.sub("\n\n", markdown))
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        is_row = line.lstrip().startswith("|")
        if lines and (not line.strip() or is_row or _START.match(line)):
            yield " ".join(lines)
            lines = []
        if is_row:
            yield from (cell for cell in re.split(r"(?<!\\)\|", line) if cell.strip(" -:"))
        elif line.strip():
            lines.append(_START.sub("", line).strip())


def sentences(paragraph: str) -> Iterator[str]:
    """Yield the sentences of a paragraph; code is one word each, links are their text."""
    plain = _LINK.sub(r"\1", _CODE.sub("`x`", paragraph))
    yield from (part.strip() for part in _END.split(plain) if part.strip())


def words_of(sentence: str) -> list[str]:
    """Return the words of a sentence."""
    return re.findall(r"[\w`]\S*", sentence)


def links(markdown: str) -> list[str]:
    """Return where links and pictures lead."""
    return [match[2] for match in _LINK.finditer(_FENCE.sub("", markdown))]


def anchors(markdown: str) -> set[str]:
    """Return what a link may name after `#`: the headings, as code forges write them."""
    headings = (_LINK.sub(r"\1", text) for text in _HEADING.findall(_FENCE.sub("", markdown)))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}
