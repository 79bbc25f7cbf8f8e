"""The one "did you mean": for keys, names, regions, flags, commands and variables. Pure."""

from collections.abc import Iterable, Iterator, Mapping

_SIMILAR = 0.6
"""Least ratio of `difflib` that counts as similar; it is that module's own default."""
_LEAST_PART = 4
"""Characters that a known word must have to be found inside a longer one."""
_LEAST_BEGINNING = 3
"""Characters of a word that may be the beginning of a known one."""
_SEPARATORS = str.maketrans("", "", "-_. ")


def did_you_mean(
    word: str,
    known: Iterable[str],
    aliases: Mapping[str, str] | None = None,
    *,
    least: float = _SIMILAR,
) -> str:
    """Return `; did you mean 'X'?` for the most similar known word, or an empty text.

    Args:
        word: what was written.
        known: the words that would be right.
        aliases: other words for known ones, such as `seoul` for `kr`.
        least: the least similarity, from 0 to 1.
    """
    found = nearest(word, known, aliases, least=least)
    return f"; did you mean {found!r}?" if found else ""


def nearest(
    word: str,
    known: Iterable[str],
    aliases: Mapping[str, str] | None = None,
    *,
    least: float = _SIMILAR,
) -> str | None:
    """Return the known word that `word` most likely stands for; None if there is none.

    Case, dashes, underscores, dots and blanks are ignored. `word` itself is never returned. The
    arguments are those of `did_you_mean`.
    """
    meanings = {plain(each): each for each in known if each != word}
    for alias, meaning in (aliases or {}).items():
        if meaning in meanings.values():
            meanings.setdefault(plain(alias), meaning)
    return next((meanings[each] for each in _similar(plain(word), meanings, least)), None)


def plain(word: str) -> str:
    """Return a word without what people mix up: case, dashes, underscores, dots and blanks."""
    return word.casefold().translate(_SEPARATORS)


def _similar(word: str, known: Mapping[str, str], least: float) -> Iterator[str]:
    """Yield the known words that are similar, the most similar first; each is a plain word."""
    from difflib import get_close_matches  # noqa: PLC0415 -- needed for mistakes only

    if word in known:
        yield word
    yield from get_close_matches(word, known, n=1, cutoff=least)
    if least > _SIMILAR:
        return
    parts = [each for each in known if len(each) >= _LEAST_PART and each in word]
    yield from sorted(parts, key=len, reverse=True)
    beginning = [each for each in known if len(word) >= _LEAST_BEGINNING and each.startswith(word)]
    if len(beginning) == 1:
        yield from beginning


def followed_by(sentence: str, more: str) -> str:
    """Return a sentence with more behind a semicolon, or as a new sentence if it is a question."""
    if sentence.endswith("?"):
        return f"{sentence} {more[0].upper()}{more[1:]}"
    return f"{sentence}; {more}"


def some_of(names: Iterable[str], most: int) -> str:
    """Return names as a list for a sentence; those beyond `most` are counted."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return f"{', '.join(every[:most])}{more}"
