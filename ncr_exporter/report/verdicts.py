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


def idle_pattern_text(idle: IdlePattern, language: Language = "en") -> str:
    """Return which pattern of the configuration matches nothing: `no image matches 'team-*'`."""
    if idle.excluded:
        text = texts.IDLE_EXCLUDED
    else:
        text = texts.IDLE_EXCLUDE if idle.key == "exclude" else texts.IDLE_GLOB
    return text.said(language, pattern=repr(idle.pattern))


def idle_pattern_remedy(idle: IdlePattern, language: Language = "en") -> str:
    """Return what to do about a pattern that matches nothing."""
    if idle.similar:
        text = texts.MEANT
    elif idle.key == "exclude":
        text = texts.CHECK_OR_LEAVE_OUT
    else:
        text = texts.CHECK_EXCLUDE if idle.excluded else texts.CHECK_PATTERN
    return text.said(language, similar=repr(idle.similar))
