"""The transcript of a new user's first minutes is what the program prints today."""

from ncr_exporter.report.files import image_fields, tag_fields
from ncr_exporter.report.rows import ImageRow, TagRow
from tests.support.transcript import DOCUMENT, masked, rewritten


def test_the_first_minutes_go_as_they_are_written_down() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert masked(rewritten(written)) == masked(written), "python -m tests.support.transcript"


def test_every_field_of_a_report_is_documented() -> None:
    text = (DOCUMENT.parent / "reports.md").read_text(encoding="utf-8")
    fields = {*image_fields(ImageRow("", "")), *tag_fields(TagRow("", "", ""))}
    assert [field for field in sorted(fields) if f"`{field}`" not in text] == []
