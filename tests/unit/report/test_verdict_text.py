"""What a verdict says, as a table, a file and the status page show it."""

import pytest

from ncr_exporter.inventory import Reason, Tag, Verdict
from ncr_exporter.inventory.attached import Attachment
from ncr_exporter.report.verdicts import verdict_text

TAG = Tag("any", "sha256:any", 1, 1, ())
SIGNATURE = Attachment("signature", "sha256:subject")


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (Verdict(TAG, True, Reason.UNUSED), "stale"),
        (Verdict(TAG, False, Reason.IN_USE), "in use"),
        (Verdict(TAG, False, Reason.RECENT), "kept: recent"),
        (Verdict(TAG, False, Reason.KEPT, "latest"), "kept: latest"),
        (Verdict(TAG, False, Reason.USED), "used"),
        (Verdict(TAG, False, Reason.SHARED, "1.4"), "shares a digest with 1.4"),
        (Verdict(TAG, False, Reason.IGNORED, "cache-*"), "ignored: cache-*"),
        (Verdict(TAG, False, Reason.KEPT, "{kind}"), "kept: {kind}"),
        (Verdict(TAG, False, Reason.ATTACHED, "1.4", attachment=SIGNATURE), "signature of 1.4"),
        (
            Verdict(TAG, True, Reason.ATTACHED, "1.4", attachment=SIGNATURE),
            "stale: signature of 1.4",
        ),
        (
            Verdict(TAG, None, Reason.ATTACHED, "1.4", attachment=SIGNATURE),
            "unknown: signature of 1.4",
        ),
        (
            Verdict(TAG, None, Reason.SUBJECT_UNKNOWN, attachment=SIGNATURE),
            "unknown: signature of a digest that is not listed",
        ),
        (Verdict(TAG, None, Reason.PULLS_UNKNOWN), "unknown: pulls are not known"),
        (
            Verdict(TAG, None, Reason.USE_UNKNOWN),
            "unknown: runs by a digest that is not listed",
        ),
        (Verdict(TAG, None, Reason.OFF), "not judged: stale_after is never"),
    ],
)
def test_a_verdict_in_words(verdict: Verdict, text: str) -> None:
    assert verdict_text(verdict) == text


def test_every_reason_has_words() -> None:
    for reason in Reason:
        assert verdict_text(Verdict(TAG, None, reason, "x", attachment=SIGNATURE))
