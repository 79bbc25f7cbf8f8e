"""Verdicts in words: the same in tables, files and on the status page. Pure."""

from ncr_exporter.inventory import Reason, Verdict
from ncr_exporter.state.model import IdlePattern
from ncr_exporter.texts import verdicts as texts
from ncr_exporter.texts.text import Language

_WORDS = {
    Reason.UNUSED: texts.UNUSED,
    Reason.IN_USE: texts.IN_USE,
    Reason.RECENT: texts.RECENT,
    Reason.KEPT: texts.KEPT,
    Reason.USED: texts.USED,
    Reason.SHARED: texts.SHARED,
    Reason.IGNORED: texts.IGNORED,
    Reason.PULLS_UNKNOWN: texts.PULLS_UNKNOWN,
    Reason.SUBJECT_UNKNOWN: texts.SUBJECT_UNKNOWN,
    Reason.USE_UNKNOWN: texts.USE_UNKNOWN,
    Reason.OFF: texts.OFF,
}
_ATTACHED = {True: texts.ATTACHED_STALE, False: texts.ATTACHED, None: texts.ATTACHED_UNKNOWN}


def verdict_text(verdict: Verdict, language: Language = "en") -> str:
    """Return a verdict and its reason: `stale`, `kept: latest`, `signature of 1.4`.

    In English, what is stale begins with `stale`, what is unknown with `unknown`.
    """
    text = _WORDS.get(verdict.reason) or _ATTACHED[verdict.stale]
    kind = texts.KINDS[verdict.attachment.kind if verdict.attachment else ""]
    return text.said(language, other=verdict.other, kind=kind.pattern(language))


def idle_pattern_text(idle: IdlePattern) -> str:
    """Return which pattern of the configuration matches nothing: `no image matches 'team-*'`."""
    where = " of `exclude`" if idle.key == "exclude" else ""
    if idle.excluded:
        return f"every image that {idle.pattern!r} matches is excluded"
    return f"no image matches {idle.pattern!r}{where}"


def idle_pattern_remedy(idle: IdlePattern) -> str:
    """Return what to do about a pattern that matches nothing."""
    if idle.similar:
        return f"did you mean {idle.similar!r}?"
    if idle.key == "exclude":
        return "check the pattern, or leave it out"
    return "check `exclude`" if idle.excluded else "check the pattern; later images are found"
