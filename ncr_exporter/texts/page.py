"""The status page: every word of it but names, numbers and what failed."""

from ncr_exporter.texts.text import Text

FRAME = {
    "own_name": Text("English", "한국어"),
    "languages": Text("Language", "언어"),
    "skip": Text("Skip to the content", "본문으로 건너뛰기"),
    "links": Text("Endpoints", "다른 주소"),
    "as_of": Text("Page updated {when}", "{when} 기준"),
    "not_refreshed": Text(
        "This page is not up to date: the exporter does not answer.",
        "이 화면은 최신 상태가 아닙니다. 익스포터가 응답하지 않습니다.",
    ),
    "just_now": Text("just now", "방금 전"),
    "within_a_minute": Text("within a minute", "1분 이내"),
    "was_due": Text("was due {when}", "{when} 예정"),
    "footer": Text(
        "All values are as of each image's last successful poll, “unused for” and “stale” "
        "included. An image that is no longer pulled may still be in use, because nodes keep "
        "copies. Sizes are upper bounds, because images share layers.",
        "모든 값은 이미지마다 마지막으로 정상 조회한 시점의 값이며, 미사용 기간과 장기 미사용 "
        "여부도 그 시점을 기준으로 합니다. 더 이상 pull되지 않는 이미지라도 노드에 남은 사본으로 "
        "쓰이고 있을 수 있습니다. 이미지끼리 레이어를 공유하므로 용량은 상한값입니다.",
    ),
    "busy": Text(
        "too many visitors; try again in a moment",
        "접속이 많습니다. 잠시 뒤 다시 시도하십시오.",
    ),
}

LINKS = {
    "metrics": Text("Metrics", "메트릭"),
    "ready": Text("Ready", "준비 상태"),
    "healthy": Text("Healthy", "동작 상태"),
    "config": Text("Configuration", "설정"),
    "report": Text("Report as CSV", "CSV 보고서"),
}
"""The links in the page's header."""

NUMBERS = {
    "image_count": Text("{n:,} images", "이미지 {n:,}개", "{n:,} image"),
    "tag_count": Text("{n:,} tags", "태그 {n:,}개", "{n:,} tag"),
    "registry_count": Text("{n:,} registries", "레지스트리 {n:,}개", "{n:,} registry"),
    "poll_count": Text("{n:,} polls", "{n:,}회", "{n:,} poll"),
    "under_an_hour": Text("under an hour", "1시간 미만"),
    "milliseconds": Text("{n:,} ms", "{n:,}밀리초"),
    "seconds": Text("{n:,} seconds", "{n:,}초", "{n:,} second"),
    "minutes": Text("{n:,} minutes", "{n:,}분", "{n:,} minute"),
    "hours": Text("{n:,} hours", "{n:,}시간", "{n:,} hour"),
    "days": Text("{n:,} days", "{n:,}일", "{n:,} day"),
    "years": Text("{n:.1f} years", "{n:.1f}년"),
    "at_least": Text("over {span}", "최소 {span}"),
    "up_to": Text("up to {span}", "최대 {span}"),
    "took": Text("took {seconds} s", "{seconds}초 걸림"),
    "percent": Text("{n:.0f} %", "{n:.0f}%"),
    "under_1_percent": Text("under 1 %", "1% 미만"),
}

HEADLINES = {
    "none_polled": Text(
        "None of {n:,} images can be polled", "이미지 {n:,}개를 모두 조회할 수 없습니다"
    ),
    "some_not_polled": Text(
        "{failing:,} of {n:,} images cannot be polled",
        "이미지 {n:,}개 중 {failing:,}개를 조회할 수 없습니다",
        "{failing:,} of {n:,} image cannot be polled",
    ),
    "not_listed": Text(
        "The registry cannot be listed", "레지스트리의 이미지 목록을 조회할 수 없습니다"
    ),
    "none_listed": Text(
        "None of {n:,} registries can be listed",
        "레지스트리 {n:,}개의 이미지 목록을 모두 조회할 수 없습니다",
    ),
    "some_not_listed": Text(
        "{failing:,} of {n:,} registries cannot be listed",
        "레지스트리 {n:,}개 중 {failing:,}개의 이미지 목록을 조회할 수 없습니다",
    ),
    "no_images": Text("No images yet", "아직 이미지가 없습니다"),
    "waiting_images": Text(
        "{n:,} images waiting for the first poll",
        "이미지 {n:,}개가 첫 조회를 기다리고 있습니다",
        "{n:,} image waiting for the first poll",
    ),
    "one_polled": Text(
        "The image is polled without failures", "이미지를 정상적으로 조회하고 있습니다"
    ),
    "all_polled": Text(
        "All {n:,} images are polled without failures",
        "이미지 {n:,}개를 모두 정상적으로 조회하고 있습니다",
    ),
    "in_registries": Text(
        "In {n:,} registries.", "레지스트리 {n:,}개 조회 중.", "In {n:,} registry."
    ),
    "lists_fail_too": Text(
        "{failing:,} of {n:,} registries cannot be listed.",
        "레지스트리 {n:,}개 중 {failing:,}개의 목록을 조회할 수 없습니다.",
        "{failing:,} of {n:,} registry cannot be listed.",
    ),
    "values_kept": Text(
        "Values of the last successful poll are kept and show their age.",
        "마지막으로 정상 조회한 값을 유지하며, 언제 값인지 함께 표시합니다.",
    ),
    "no_registry": Text("No registry is known yet.", "아직 알려진 레지스트리가 없습니다."),
    "images_unknown": Text(
        "The images are unknown until a registry can be listed.",
        "레지스트리의 목록을 조회하기 전에는 어떤 이미지가 있는지 알 수 없습니다.",
    ),
    "all_empty": Text(
        "{n:,} registries are empty: no image is in their lists.",
        "레지스트리 {n:,}개가 비어 있습니다. 목록에 이미지가 없습니다.",
        "{n:,} registry is empty: no image is in its list.",
    ),
    "nothing_found": Text(
        "No image was found in {n:,} registries: check the names and globs under {key}.",
        "레지스트리 {n:,}개에서 이미지를 찾지 못했습니다. 설정 {key} 아래의 이름과 글롭 패턴을 "
        "확인하십시오.",
        "No image was found in {n:,} registry: check the names and globs under {key}.",
    ),
}

STATUSES = {
    "working": Text("OK", "정상"),
    "failing": Text("failing", "실패"),
    "missing": Text("missing", "레지스트리에 없음"),
    "gone": Text("gone", "삭제됨"),
    "waiting": Text("not polled yet", "조회 전"),
    "failing_count": Text("{n:,} failing", "실패 {n:,}개"),
    "missing_count": Text("{n:,} missing", "없는 이미지 {n:,}개"),
    "gone_count": Text("{n:,} gone", "삭제된 이미지 {n:,}개"),
    "waiting_count": Text("{n:,} not polled yet", "조회 전 {n:,}개"),
    "missing_cause": Text(
        "The configuration names it, and the registry has no such image.",
        "설정에 이름이 있지만 레지스트리에 그런 이미지가 없습니다.",
    ),
    "missing_remedy": Text(
        "check the name in the configuration, or push the image",
        "설정에 쓴 이름을 확인하거나 이미지를 push하십시오.",
    ),
    "gone_cause": Text(
        "The registry had it, and has it no longer.",
        "레지스트리에 있던 이미지가 이제는 없습니다.",
    ),
    "gone_remedy": Text(
        "take it out of the configuration, or push the image again",
        "설정에서 빼거나 이미지를 다시 push하십시오.",
    ),
}
"""How polling an image goes, in a word, in a count, and what is to be done."""

LIST = {
    "totals": Text("Totals", "합계"),
    "images": Text("Images", "이미지"),
    "tags": Text("Tags", "태그"),
    "size": Text("Size", "용량"),
    "stale_tags": Text("Stale tags", "장기 미사용 태그"),
    "reclaimable": Text("Reclaimable", "회수 가능 용량"),
    "sums_of": Text(
        "Sums of the {n:,} images whose tags are known.",
        "태그를 조회한 이미지 {n:,}개의 합계입니다.",
        "Sums of the {n:,} image whose tags are known.",
    ),
    "failures": Text("What fails, and what to do", "문제와 해결 방법"),
    "failure_group": Text("{images}: {reason}", "{images} · 원인: {reason}"),
    "remedy": Text("Remedy", "해결 방법"),
    "show_it": Text("Show it", "해당 이미지 보기"),
    "show_them": Text("Show them", "해당 이미지 모두 보기"),
    "registries": Text("Registries", "레지스트리"),
    "more": Text("{n:,} more", "{n:,}개 더 보기"),
    "found": Text("{n:,} found", "{n:,}개 찾음"),
    "find_images": Text("Find by registry or name", "레지스트리나 이름으로 찾기"),
    "find_tags": Text("Find by name", "이름으로 찾기"),
    "find": Text("Find", "찾기"),
    "only": Text("Show only", "골라 보기"),
    "all": Text("All", "전체"),
    "only_failing": Text("Failing", "실패"),
    "only_missing": Text("Missing", "없는 이미지"),
    "only_gone": Text("Gone", "삭제된 이미지"),
    "only_waiting": Text("Not polled yet", "조회 전"),
    "with_stale_tags": Text("With stale tags", "장기 미사용 태그 있음"),
    "only_stale": Text("Stale", "장기 미사용"),
    "sort_by": Text("Sort by", "정렬 기준"),
    "ascending": Text(", sorted ascending", ", 오름차순"),
    "descending": Text(", sorted descending", ", 내림차순"),
    "pages": Text("Pages", "페이지"),
    "previous": Text("← Previous", "← 이전"),
    "next": Text("Next →", "다음 →"),
    "rows": Text("{first:,} to {last:,} of {things}", "{things} 중 {first:,}~{last:,}"),
    "no_image_matches": Text(
        "No image matches “{text}”.", "조건에 맞는 이미지가 없습니다: “{text}”"
    ),
    "no_image_is_so": Text("No image matches.", "조건에 맞는 이미지가 없습니다."),
    "no_tag_matches": Text("No tag matches “{text}”.", "조건에 맞는 태그가 없습니다: “{text}”"),
    "no_tag_is_so": Text("No tag matches.", "조건에 맞는 태그가 없습니다."),
    "show_all": Text("Show all", "모두 보기"),
    "nothing": Text("There is no image to show.", "표시할 이미지가 없습니다."),
}

COLUMNS = {
    "name_column": Text("Image", "이미지"),
    "tag_column": Text("Tag", "태그"),
    "pulled": Text("Last pulled", "마지막 pull"),
    "pulled_short": Text("Pulled", "pull한 때"),
    "updated": Text("Updated", "갱신"),
    "idle": Text("Unused for", "미사용 기간"),
    "idle_short": Text("Unused", "미사용"),
    "stale_short": Text("Stale", "장기 미사용"),
    "polled": Text("Last poll", "마지막 조회"),
    "polled_short": Text("Polled", "조회"),
    "platforms": Text("Platforms", "플랫폼"),
    "digest": Text("Digest", "다이제스트"),
    "pulls": Text("Pulls", "pull 횟수"),
    "never": Text("never", "한 번도 없음"),
}

REGISTRY = {
    "list_failed": Text("list failed", "목록 조회 실패"),
    "not_listed_yet": Text("not listed yet", "목록 조회 전"),
    "anyone_may_pull": Text("anyone may pull", "누구나 pull 가능"),
    "needs_login": Text("pulling needs a login", "pull하려면 로그인 필요"),
    "every_registry": Text("every registry of the account", "계정의 모든 레지스트리"),
    "place": Text("{zone} zone, region {region}", "{zone} 존, {region} 리전"),
    "polled_of": Text("{polled:,} of {listed:,} polled", "{listed:,}개 중 {polled:,}개 조회"),
    "empty": Text("none: the registry is empty", "없음: 빈 레지스트리"),
    "polled_only": Text("{polled:,} to be polled", "조회 대상 {polled:,}개"),
    "not_in_list": Text("{n:,} not in the list", "목록에 없는 이미지 {n:,}개"),
    "last_listed": Text("Last listed", "목록 조회"),
    "public": Text("Public endpoint", "퍼블릭 엔드포인트"),
    "private": Text("Private endpoint", "프라이빗 엔드포인트"),
    "idle_globs": Text("Globs that match no image", "맞는 이미지가 없는 글롭 패턴"),
    "idle_excludes": Text("Excludes that match no image", "맞는 이미지가 없는 제외 패턴"),
    "similar": Text("did you mean", "비슷한 이름"),
    "all_excluded": Text("all its images are excluded", "맞는 이미지가 모두 제외됨"),
}

IMAGE = {
    "values_from": Text("values from {when}", "{when} 값"),
    "values_as_of": Text("Values from {when}.", "{when} 기준 값."),
    "in_registry": Text("In registry {registry}.", "레지스트리: {registry}."),
    "longest_unused": Text(
        "The {n:,} longest unused of {tags}", "{tags} 중 가장 오래 쓰이지 않은 {n:,}개"
    ),
    "no_tags": Text("This image has no tags.", "이 이미지에는 태그가 없습니다."),
    "tags_unknown": Text(
        "The tags of this image are unknown.", "이 이미지의 태그는 아직 알 수 없습니다."
    ),
    "all_about": Text("All about {image}", "자세히 보기: {image}"),
    "all_images": Text("All images", "전체 이미지"),
    "reference": Text("Newest tag", "최신 태그"),
    "copy": Text("Copy", "복사"),
    "copy_reference": Text("Copy {reference}", "복사: {reference}"),
    "copied": Text("Copied", "복사됨"),
    "last_polls": Text("Last polls", "최근 조회"),
    "ticks": Text("last {polls}, oldest first: {outcomes}", "최근 {polls}, 오래된 순: {outcomes}"),
    "failed": Text("failed", "실패"),
    "same_reason": Text("for the same reason", "앞과 같은 원인"),
    "not_polled": Text(
        "Not polled since the exporter started.", "익스포터가 시작된 뒤로 아직 조회하지 않았습니다."
    ),
    "next_poll": Text("Next poll: {when}", "다음 조회: {when}"),
    "in_progress": Text("in progress", "조회 중"),
    "how_often": Text(
        "every {interval}; {polls} so far, {failed:,} failed",
        "조회 간격 {interval}, 지금까지 {polls} 중 {failed:,}회 실패",
    ),
    "never_stale": Text(
        "Tags of this image never become stale.",
        "이 이미지의 태그는 장기 미사용으로 분류하지 않습니다.",
    ),
    "stale_rule": Text(
        "A tag is stale when it has been unused for more than {span}.",
        "태그가 {span} 넘게 쓰이지 않으면 장기 미사용으로 분류합니다.",
    ),
    "never_stale_tags": Text("Never stale: {kept}.", "분류하지 않는 태그: {kept}."),
    "kept_recent": Text(
        "the {n:,} tags updated last", "최근에 갱신된 {n:,}개", "the {n:,} tag updated last"
    ),
    "kept_named": Text("tags named {globs}", "이름이 {globs}"),
    "what_reclaimable_is": Text(
        "Reclaimable are the bytes that only stale tags refer to: an upper bound. What deleting "
        "them frees, and when, the registry decides.",
        "회수 가능 용량은 장기 미사용 태그만 참조하는 용량의 상한값입니다. 삭제하면 실제로 얼마나, "
        "언제 확보되는지는 레지스트리가 정합니다.",
    ),
    "no_such_image": Text("No such image", "그런 이미지가 없습니다"),
    "not_polled_in": Text(
        "“{image}” is not polled in registry “{registry}”.",
        "조회 대상이 아닙니다. 레지스트리: “{registry}”, 이미지: “{image}”",
    ),
    "not_polled_anywhere": Text(
        "“{image}” is not polled.", "조회 대상이 아닙니다. 이미지: “{image}”"
    ),
    "deleted": Text("The image is gone", "삭제된 이미지입니다"),
    "deleted_from": Text(
        "“{image}” was in registry “{registry}”, which has it no longer. Known since {when}.",
        "레지스트리에 있던 이미지가 이제는 없습니다. 레지스트리: “{registry}”, 이미지: “{image}”, "
        "확인 시각: {when}",
    ),
}

PAGE = {
    **FRAME,
    **NUMBERS,
    **HEADLINES,
    **STATUSES,
    **LIST,
    **COLUMNS,
    **REGISTRY,
    **IMAGE,
}
"""Every text that the templates name."""
