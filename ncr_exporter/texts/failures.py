"""Why requests to the API fail, and what to do about it."""

from ncr_exporter.texts.text import Text

REASONS = {
    "authentication": Text("authentication", "인증 실패"),
    "permission": Text("permission", "권한 없음"),
    "not_found": Text("not found", "찾을 수 없음"),
    "throttled": Text("throttled", "호출 제한"),
    "server": Text("server", "서버 오류"),
    "timeout": Text("timeout", "시간 초과"),
    "connection": Text("connection", "연결 실패"),
    "tls": Text("TLS", "TLS 오류"),
    "redirect": Text("redirect", "리디렉션"),
    "malformed": Text("malformed answer", "잘못된 응답"),
    "too_large": Text("answer too large", "응답 크기 초과"),
    "other": Text("other", "기타"),
}
"""The value of the label `reason` → its name on the status page."""

REMEDIES = {
    "authentication": Text(
        "check the access key and secret key, that the key is active, and this host's clock",
        "Access Key ID와 Secret Key가 맞는지, 키가 사용 중지되지 않았는지, 이 서버의 시계가 "
        "정확한지 확인하십시오.",
    ),
    "permission": Text(
        "give the sub account the policy NCP_CONTAINER_REGISTRY_VIEWER and API Gateway access, "
        "and allow this host's address if its source IPs are limited",
        "서브 계정에 NCP_CONTAINER_REGISTRY_VIEWER 정책을 부여하고 접근 유형에서 'API Gateway "
        "접근'을 허용하십시오. 접근 가능한 IP를 제한했다면 이 서버의 주소도 추가하십시오.",
    ),
    "not_found": Text(
        "check the names of registry and image, and the registry's region and zone",
        "레지스트리와 이미지의 이름, 레지스트리의 리전과 존을 확인하십시오.",
    ),
    "throttled": Text(
        "lower api.requests_per_second or poll less often; other programs share the quota",
        "api.requests_per_second를 낮추거나 조회 간격을 늘리십시오. 호출 한도는 다른 "
        "프로그램과 함께 나누어 씁니다.",
    ),
    "server": Text(
        "usually passes; if only this image fails, check that it exists",
        "대개 저절로 해소됩니다. 이 이미지만 계속 실패하면 이미지가 있는지 확인하십시오.",
    ),
    "timeout": Text(
        "check the network to the API; raise api.timeout if answers are just slow",
        "API까지의 네트워크를 확인하십시오. 응답이 느릴 뿐이라면 api.timeout을 늘리십시오.",
    ),
    "connection": Text(
        "check DNS, firewall and proxy between this host and the API; HTTPS_PROXY is ignored "
        "unless api.proxy_from_environment is true",
        "이 서버와 API 사이의 DNS, 방화벽, 프록시를 확인하십시오. 환경 변수 HTTPS_PROXY는 "
        "api.proxy_from_environment가 true일 때만 사용합니다.",
    ),
    "tls": Text(
        "check this host's clock; if a proxy re-signs traffic, api.ca_file must hold the root "
        "certificate of the authority that it signs with",
        "이 서버의 시계를 확인하십시오. 프록시가 트래픽을 다시 서명한다면 그 인증 기관의 루트 "
        "인증서를 api.ca_file에 지정하십시오.",
    ),
    "redirect": Text(
        "check api.base_url, and any proxy between this host and the API",
        "api.base_url, 그리고 이 서버와 API 사이의 프록시를 확인하십시오.",
    ),
    "malformed": Text(
        "check that nothing between this host and the API rewrites answers",
        "이 서버와 API 사이에서 응답을 바꾸는 장비나 프록시가 없는지 확인하십시오.",
    ),
    "too_large": Text("lower api.page_size", "api.page_size를 줄이십시오."),
    "other": Text(
        "report it with the trace id or request id",
        "trace ID나 request ID를 첨부하여 이슈로 알려 주십시오.",
    ),
}
"""The value of the label `reason` → what the user can do."""

PAGING_REMEDY = Text(
    "usually passes: the list changed while it was read; if it stays, report it with the answers "
    "that check --online --record=DIR saves",
    "대개 저절로 해소됩니다. 목록을 읽는 동안 목록이 바뀌었습니다. 계속되면 check --online "
    "--record=DIR로 저장한 응답을 첨부하여 이슈로 알려 주십시오.",
)
"""What the user can do where the pages of a list do not fit together."""

CLOSED_WHILE_IDLE = Text(
    "the connection was closed while it was not in use", "사용하지 않는 동안 연결이 닫힘"
)
REDIRECTED_NOWHERE = Text(
    "the answer is a redirect to what is no URL", "응답이 URL이 아닌 곳으로 리디렉션함"
)
LATER_PAGE = Text("page {page} of the list: {error}", "목록의 {page}페이지: {error}")
NO_KEY = Text("no key to sign with: {detail}", "서명에 쓸 인증키가 없습니다: {detail}")
NOT_IN_TIME = Text(
    "no complete answer within {seconds:g} s", "{seconds:g}초 안에 응답이 끝나지 않음"
)
ASKING_AGAIN = Text(
    "the API asked to wait; asking again in {seconds:.0f} s",
    "API가 호출을 제한하여 대기 중, {seconds:.0f}초 뒤 다시 호출",
)
STILL_WAITING = Text(
    "the API asked to wait and has not answered since",
    "API가 호출을 제한한 뒤로 응답하지 않음",
)
REDIRECTED = Text("{answer}, to {location}", "{answer}, 리디렉션 대상: {location}")
NOWHERE = Text("nowhere", "없음")
TLS_FAILED = Text("TLS failed: {detail}", "TLS 연결 실패: {detail}")
NOT_CONNECTED = Text("cannot connect: {detail}", "연결할 수 없음: {detail}")
PROXY_REFUSED = Text("the proxy refused: {detail}", "프록시가 거부함: {detail}")
CONNECTION_BROKE = Text("the connection broke: {detail}", "연결이 끊어짐: {detail}")
ENCODED = Text(
    "the answer has the content encoding {encoding!r}",
    "지원하지 않는 응답 인코딩(content-encoding): {encoding!r}",
)
TOO_LONG = Text("the answer is larger than {limit} bytes", "응답이 상한인 {limit}바이트보다 큼")
INFLATES = Text(
    "the answer inflates to more than {limit} bytes",
    "압축을 푼 응답이 상한인 {limit}바이트보다 큼",
)
GZIP_CUT_SHORT = Text("the answer's gzip is cut short", "응답의 gzip 데이터가 중간에 끊김")
GZIP_BROKEN = Text("the answer's gzip is broken: {detail}", "응답의 gzip 데이터가 손상됨: {detail}")
NO_USABLE_RECORD = Text(
    "none of the {records} records of a page is usable",
    "한 페이지의 레코드 {records}개 중 쓸 수 있는 것이 없음",
)
NO_PAGE = Text("not a page of a list: {detail}", "목록의 페이지 형식이 아님: {detail}")
NEXT_PAGE = Text("next page {value}", "다음 페이지 {value}")
REPEATED_PAGE = Text(
    "page {page} repeats records of the pages before it",
    "{page}페이지에 앞 페이지와 같은 레코드가 반복됨",
)
JUMPING_PAGE = Text(
    "page {page} names page {next} as the next",
    "{page}페이지가 다음 페이지로 {next}페이지를 가리킴",
)
ENDLESS_LIST = Text(
    "the list does not end after {pages} pages", "목록이 {pages}페이지 뒤에도 끝나지 않음"
)
EMPTY_PAGE = Text(
    "page {page} is empty, though there are {pages}",
    "{page}페이지가 비어 있음, 전체 페이지 수: {pages}",
)
OTHER_PAGE = Text(
    "page {page} was asked for, and page {came} came",
    "{page}페이지를 요청했으나 {came}페이지가 응답됨",
)
NO_OBJECT = Text("the answer is JSON, but not a page", "응답이 JSON이지만 목록의 페이지가 아님")
ERROR_AS_PAGE = Text(
    "the answer is an error with the status of a page: {error!r}",
    "성공 상태 코드로 온 응답의 본문이 오류임: {error!r}",
)
CODE_AS_PAGE = Text(
    "the answer is an error with the status of a page: {field} {code!r}",
    "성공 상태 코드로 온 응답의 본문이 오류임: {field} {code!r}",
)
NO_ONE_LIST = Text(
    "the answer is JSON, but not a page: it has no one list of objects",
    "응답이 JSON이지만 목록의 페이지가 아님: 객체의 목록 하나를 찾을 수 없음",
)
NESTED = Text("the answer is nested too deeply", "응답의 중첩이 너무 깊음")
NO_LIST = Text(
    "the answer is JSON, but not a page: it has no list `{field}`",
    "응답이 JSON이지만 목록의 페이지가 아님: `{field}` 목록이 없음",
)
NO_TEXT = Text(
    "the answer is not text in {encoding}: at byte {position}, {near!r}",
    "응답이 {encoding} 텍스트가 아님: {position}번째 바이트, {near!r}",
)
EMPTY_ANSWER = Text("the answer is empty", "응답이 비어 있음")
HTML_ANSWER = Text(
    "the answer is HTML: it starts with {start!r}", "응답이 HTML임: {start!r}(으)로 시작"
)
NO_JSON = Text(
    "the answer is not JSON, or cut short: it starts with {start!r}",
    "응답이 JSON이 아니거나 중간에 끊김: {start!r}(으)로 시작",
)
UNEXPECTED = Text(
    "unexpected {error}; the log has its traceback",
    "예상하지 못한 오류 {error}, 자세한 내용은 로그에 있음",
)
