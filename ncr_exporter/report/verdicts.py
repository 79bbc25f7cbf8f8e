"""Verdicts in words: the same in tables, files and on the status page. Pure."""

from ncr_exporter.inventory import Reason, Verdict
from ncr_exporter.state.model import IdlePattern

_WORDS = {
    Reason.UNUSED: "stale",
    Reason.IN_USE: "in use",
    Reason.RECENT: "kept: recent",
    Reason.KEPT: "kept: {other}",
    Reason.USED: "used",
    Reason.SHARED: "shares a digest with {other}",
    Reason.IGNORED: "ignored: {other}",
    Reason.PULLS_UNKNOWN: "unknown: pulls are not known",
    Reason.SUBJECT_UNKNOWN: "unknown: {kind} of a digest that is not listed",
    Reason.USE_UNKNOWN: "unknown: runs by a digest that is not listed",
    Reason.OFF: "not judged: stale_after is never",
}
_ATTACHED = {True: "stale: {kind} of {other}", False: "{kind} of {other}"}
_ATTACHED_UNKNOWN = "unknown: {kind} of {other}"


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict and its reason: `stale`, `kept: latest`, `signature of 1.4`.

    What is stale begins with `stale`, what is unknown with `unknown`.
    """
    form = _WORDS.get(verdict.reason) or (
        _ATTACHED_UNKNOWN if verdict.stale is None else _ATTACHED[verdict.stale]
    )
    kind = verdict.attachment.kind if verdict.attachment else ""
    return form.format(other=verdict.other, kind=kind)


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
