"""Verdicts on tags: stale or not, and why."""

from ncr_exporter.texts.text import Text

KINDS = {
    "signature": Text("signature", "서명"),
    "attestation": Text("attestation", "증명"),
    "SBOM": Text("SBOM", "SBOM"),
    "attachment": Text("attachment", "첨부"),
    "": Text("", ""),
}
"""What is attached to a tag, by the name that `inventory.attached` gives it."""

UNUSED = Text("stale", "장기 미사용")
IN_USE = Text("in use", "사용 중")
RECENT = Text("kept: recent", "보존: 최근 갱신")
KEPT = Text("kept: {other}", "보존: {other}")
USED = Text("used", "사용됨")
SHARED = Text("shares a digest with {other}", "다이제스트를 공유하는 태그: {other}")
IGNORED = Text("ignored: {other}", "무시: {other}")
PULLS_UNKNOWN = Text("unknown: pulls are not known", "알 수 없음: pull 기록 없음")
SUBJECT_UNKNOWN = Text(
    "unknown: {kind} of a digest that is not listed",
    "알 수 없음: 목록에 없는 다이제스트의 {kind}",
)
USE_UNKNOWN = Text(
    "unknown: runs by a digest that is not listed",
    "알 수 없음: 목록에 없는 다이제스트로 실행 중",
)
OFF = Text("not judged: stale_after is never", "판정하지 않음: stale_after 값이 never")
ATTACHED = Text("{kind} of {other}", "{other}의 {kind}")
ATTACHED_STALE = Text("stale: {kind} of {other}", "장기 미사용: {other}의 {kind}")
ATTACHED_UNKNOWN = Text("unknown: {kind} of {other}", "알 수 없음: {other}의 {kind}")

IDLE_GLOB = Text("no image matches {pattern}", "{pattern}에 맞는 이미지가 없음")
IDLE_EXCLUDE = Text(
    "no image matches {pattern} of `exclude`", "`exclude`의 {pattern}에 맞는 이미지가 없음"
)
IDLE_EXCLUDED = Text(
    "every image that {pattern} matches is excluded",
    "{pattern}에 맞는 이미지가 모두 제외됨",
)
MEANT = Text("did you mean {similar}?", "{similar}의 오타인지 확인하세요")
CHECK_OR_LEAVE_OUT = Text("check the pattern, or leave it out", "패턴을 확인하거나 삭제하세요")
CHECK_EXCLUDE = Text("check `exclude`", "`exclude`를 확인하세요")
CHECK_PATTERN = Text(
    "check the pattern; later images are found",
    "패턴을 확인하세요. 나중에 생기는 이미지는 자동으로 찾습니다",
)
