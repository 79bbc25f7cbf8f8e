"""What users see of each fault of the simulated registry: the table that tests and docs go by."""

from typing import NamedTuple

TAGS = 5
MALFORMED = "ncr_api_malformed_records_total"
MISCOUNTED = "ncr_api_count_mismatches_total"
READ_TWICE = "each list is read twice three times, then once; its names are believed"
UPDATED = "ncr_image_last_updated_timestamp_seconds"
PULLED = "ncr_image_last_pulled_timestamp_seconds"


class Seen(NamedTuple):
    """What a fault that meets every answer shows of an image of five tags, two to a page."""

    words: str
    """For people."""
    fails: str = ""
    """The reason of polls that fail; the last good data stands, and `ncr_image_up` is 0."""
    retried: str = ""
    """The reason of requests that fail and go well when sent again."""
    refused: str = ""
    """The reason of requests that fail, where it is not that of the polls."""
    counter: str = ""
    """What counts what is wrong where a poll succeeds."""
    absent: str = ""
    """A family that leaves, since its value is unknown."""
    tags: int = TAGS
    pause: float = 0.0
    """Seconds until the account is asked again."""
    skew: float = 0.0
    """Seconds of `ncr_api_clock_skew_seconds`."""

    @property
    def stands(self) -> bool:
        """Whether every value about the image stays as it was."""
        return not self.absent and self.tags == TAGS


NOTHING = "nothing: the values are right"

TABLE = {
    "latency": Seen(f"{NOTHING}, `ncr_api_request_duration_seconds` shows the wait"),
    "hang": Seen("polls fail after `api.timeout`", fails="timeout"),
    "drip": Seen("polls fail after `api.timeout`", fails="timeout"),
    "reset": Seen(
        "polls fail after two retries; on a kept connection one more costs nothing",
        fails="connection",
    ),
    "close": Seen("as `reset`", fails="connection"),
    "garbage": Seen("polls fail after two retries", fails="connection"),
    "half": Seen("polls fail after two retries; no part of the answer is used", fails="connection"),
    "endless": Seen("polls fail once 16 MiB have come", fails="too_large"),
    "throttle": Seen("polls fail, unasked, for 2 s", fails="throttled", pause=2),
    "throttle-silent": Seen(
        "polls fail, unasked, for 30 s, then 60 s, up to 15 min", fails="throttled", pause=30
    ),
    "throttle-date": Seen("polls fail, unasked, until then", fails="throttled", pause=2),
    "throttle-absurd": Seen("polls fail, unasked, for 15 min", fails="throttled", pause=900),
    "throttle-words": Seen("as `throttle-silent`", fails="throttled", pause=30),
    "wrong-key": Seen("polls fail", fails="authentication"),
    "denied": Seen("polls fail; the log names the policy that is missing", fails="permission"),
    "forbidden": Seen("polls fail; the log names the policy that is missing", fails="permission"),
    "not-found": Seen("polls fail; no image is taken for gone", fails="not_found"),
    "not-found-service": Seen(
        "polls fail; an image that was listed is not taken for gone", fails="not_found"
    ),
    "missing-500": Seen("polls fail after two retries", fails="server"),
    "unavailable": Seen("polls fail after two retries", fails="server"),
    "redirect": Seen("polls fail; nothing is sent there", fails="redirect"),
    "html": Seen("polls fail", fails="malformed"),
    "empty": Seen("polls fail", fails="malformed"),
    "wrong-content-type": Seen(NOTHING),
    "utf-16": Seen(NOTHING),
    "latin-1": Seen("polls fail", fails="malformed"),
    "truncated": Seen("polls fail; no part of the answer is used", fails="malformed"),
    "nested": Seen("polls fail", fails="malformed"),
    "not-a-page": Seen("polls fail", fails="malformed"),
    "error-page": Seen("polls fail; nothing is taken for gone", fails="malformed"),
    "x-gzip": Seen(NOTHING),
    "cached": Seen(f"{NOTHING}, and so is the clock to sign by"),
    "gzip-bomb": Seen("polls fail once 64 MiB are inflated, which are not kept", fails="too_large"),
    "wrong-types": Seen(
        "sizes and times leave; tags are counted", counter=MALFORMED, absent=UPDATED
    ),
    "nulls": Seen("sizes and times leave; tags are counted", absent="ncr_image_size_bytes"),
    "no-platforms": Seen("pull times leave", absent=PULLED),
    "nan": Seen("sizes leave", counter=MALFORMED, absent="ncr_tag_size_bytes"),
    "strings": Seen(NOTHING),
    "negative-sizes": Seen("sizes leave", counter=MALFORMED, absent="ncr_image_size_bytes"),
    "seconds": Seen("times leave", counter=MALFORMED, absent=UPDATED),
    "far-times": Seen("times leave", counter=MALFORMED, absent=PULLED),
    "surrogates": Seen("those tags leave", counter=MALFORMED, tags=3),
    "control": Seen("those tags leave", counter=MALFORMED, tags=3),
    "long-names": Seen("those tags leave", counter=MALFORMED, tags=3),
    "duplicates": Seen(NOTHING),
    "next-loops": Seen("polls fail", fails="malformed"),
    "next-back": Seen("polls of lists of several pages fail", fails="malformed"),
    "next-jumps": Seen("polls of lists of several pages fail", fails="malformed"),
    "count-lies": Seen(READ_TWICE, counter=MISCOUNTED),
    "emptied": Seen(
        "the second list in a row that lacks all tags is believed; no image is taken for gone",
        counter=MISCOUNTED,
        tags=0,
    ),
    "page-missing": Seen(
        "polls of lists of several pages fail, read twice; no image is taken for gone",
        fails="malformed",
        refused="not_found",
    ),
    "shifting": Seen(READ_TWICE, counter=MISCOUNTED),
    "clock-ahead": Seen(
        "one request fails; then requests are signed by the gateway's clock",
        retried="authentication",
        skew=600,
    ),
    "clock-behind": Seen(
        "one request fails; then requests are signed by the gateway's clock",
        retried="authentication",
        skew=-600,
    ),
    "rotated-key": Seen(
        "polls fail until the new key is in `secret_key_file`", fails="authentication"
    ),
    "expired-tls": Seen("polls fail; no request is sent", fails="tls"),
    "self-signed-tls": Seen("polls fail; no request is sent", fails="tls"),
}
"""Fault → what is seen of it."""


class Told(NamedTuple):
    """What users see, and the test that shows it; of clocks, one in tests/e2e/test_clock.py."""

    words: str
    test: str


CLOCKS = {
    "the wall clock is set, by seconds or by years": Told(
        "polls, pauses and expiry go on: they go by time that passes. One request is refused, then "
        "requests are signed, and ages and staleness judged, by the gateway's clock; one warning "
        "and `ncr_api_clock_skew_seconds` tell",
        "test_a_wall_clock_that_jumps_and_comes_back_moves_neither_polls_nor_data",
    ),
    "the wall clock is wrong by a year, in `serve` and in `once`": Told(
        "ages and what is stale are right from the first answer on: where every gateway says that "
        "the clock is wrong, they go by the gateway's, over a restart too. `once` warns on stderr",
        "test_ages_and_staleness_go_by_the_gateways_clock_where_this_hosts_is_wrong",
    ),
    "it was wrong when state was stored, or is at the start": Told(
        "what seems to come from the future, or is too old, is not used",
        "test_state_stored_by_a_clock_that_was_wrong_is_not_believed",
    ),
    "the host sleeps": Told(
        "each image is polled within an interval after it wakes; until then "
        "`ncr_image_last_success_timestamp_seconds` tells how old the data is. `expire_after` does "
        "not count the sleep",
        "test_after_a_suspend_polls_go_on_within_an_interval_and_ages_are_right",
    ),
    "the process is frozen, as by `docker pause`": Told(
        "polls that were missed are not made up for: each image is polled once, at the usual rate",
        "test_after_a_freeze_each_image_is_polled_once_and_the_rate_is_kept",
    ),
    "summer time begins or ends; `TZ` is any zone": Told(
        "nothing: everything is in UTC",
        "test_reports_are_in_utc_whatever_the_zone_of_the_process",
    ),
    "a leap second": Told(
        "nothing: an age is not below 0, and a date that holds one is left out",
        "test_a_leap_second_in_a_date_is_no_failure",
    ),
}
"""What happens to a clock → what is seen of it."""


class Held(NamedTuple):
    """What users see while something presses, and the test in tests/e2e/ that shows it."""

    words: str
    test: str


PRESSURE = {
    "more clients keep connections open than there is room for": Held(
        "for each new connection the one idle longest is closed; one line a minute; "
        "`ncr_exporter_open_connections`. `/-/healthy` and `/-/ready` wait for no place",
        "test_places.py::test_a_crowd_that_keeps_its_connections_keeps_nobody_out",
    ),
    "they send half a request each": Held(
        "as above: bytes of a request that is not whole keep no connection open",
        "test_places.py::test_half_a_request_each_keeps_nobody_out",
    ),
    "the process runs out of descriptors": Held(
        "fewer connections are allowed for a minute; one line a minute, with a remedy",
        "test_places.py::test_out_of_descriptors_the_log_stays_short",
    ),
    "passwords of users who do not exist are guessed": Held(
        "nothing: a guess waits as long as a check takes, and costs neither CPU time nor a turn",
        "test_places.py::test_guesses_at_users_who_do_not_exist_delay_nobody",
    ),
    "passwords of a user who exists are guessed": Held(
        "whose right one is remembered: nothing. Of those who wait for a check, chance drops one "
        "of the client with most waiting; it is answered 503 after 2 s",
        "test_places.py::test_among_guesses_at_a_known_user_the_right_password_gets_in",
    ),
    "many people load `/report.csv`": Held(
        "four at a time are served, by a thread of its own; others get 503. Scrapes go on",
        "test_places.py::test_visitors_of_the_report_delay_no_scrape",
    ),
    "reloads are asked for faster than they end": Held(
        "one runs, and one more for all who asked since. They hold no place of a scrape",
        "test_places.py::test_fifty_hangups_are_two_reloads",
    ),
    "the reader of stderr stalls": Held(
        "polls, scrapes and reloads go on; a mebibyte of lines waits",
        "test_hanging.py::"
        "test_a_reader_of_the_log_that_stalls_delays_nothing_and_loses_nothing_for_a_while",
    ),
    "and does not come back": Held(
        "further lines are dropped; `ncr_exporter_log_lines_dropped_total` and one line tell how "
        "many. At its end the program waits 1 s for the reader",
        "test_hanging.py::test_what_a_reader_that_never_reads_misses_is_counted_and_said",
    ),
    "a `secret_key_file` hangs, as a pipe or on a file server that is down": Held(
        "polls fail with `authentication` and a sentence after 5 s; scrapes go on. It heals by "
        "itself",
        "test_hanging.py::"
        "test_a_secret_file_that_hangs_fails_polls_with_a_sentence_and_delays_no_scrape",
    ),
    "a web configuration or one of its certificates hangs": Held(
        "the old version stays in force; requests wait for 1 s once",
        "test_hanging.py::test_a_web_configuration_that_hangs_leaves_the_old_one_in_force",
    ),
    "the configuration, `ca_file` or a key hangs during a reload": Held(
        "the reload fails with a sentence after 5 s; the old configuration stays in force",
        "test_hanging.py::"
        "test_a_reload_whose_files_hang_fails_with_a_sentence_and_delays_no_scrape",
    ),
    "any of them hangs at the start": Held(
        "exit code 2 and a sentence, after 5 s",
        "test_hanging.py::test_a_file_that_hangs_at_the_start_ends_it_with_a_sentence",
    ),
}
"""What presses upon the program → what is seen of it."""

NETWORK = {
    "`HTTPS_PROXY`, `ALL_PROXY` or `NO_PROXY` hold what cannot be used": Told(
        "with `proxy_from_environment`, a SOCKS proxy or a broken URL is refused by every command, "
        "without a word of its password. An entry of NO_PROXY that cannot be read is left out with "
        "a warning. IPv6, networks and ports are understood",
        "tests/e2e/test_proxy_environment.py::test_a_proxy_that_cannot_be_used_is_refused_by_every_command_and_nothing_of_it_is_shown",
    ),
    "an exception that nobody foresaw, anywhere in a poll or a list": Told(
        "it fails as `other`, `ncr_image_up` or `ncr_registry_up` is 0, what is known stays, and "
        "the log has one traceback when it starts",
        "tests/unit/polling/test_poller.py::test_whatever_an_image_list_raises_is_a_failed_list_and_takes_nothing_away",
    ),
    "an authority in `ca_file` is an old one, or an intermediate one alone": Told(
        "it is trusted, on every Python",
        "tests/unit/ncr/test_authorities.py::test_an_authority_without_key_identifiers_and_key_usage_is_trusted",
    ),
    "`ca_file` is renewed": Told(
        "a reload takes it up; one that cannot be read keeps the configuration in force",
        "tests/unit/app/test_accounts.py::test_a_reload_takes_up_a_ca_file_that_was_renewed",
    ),
    "the key in `~/.ncloud/configure` is rotated": Told(
        "the next request is signed with the new one",
        "tests/unit/app/test_accounts.py::test_the_key_in_the_vendors_file_is_taken_up_when_it_is_rotated",
    ),
    "no server of names answers": Told(
        "polls fail after `api.timeout`; page, scrape and reload come at once",
        "tests/e2e/test_dns.py::test_page_and_reload_come_at_once_while_names_are_looked_up",
    ),
    "a kept connection is closed while a request is on its way": Told(
        "the request is sent again at once, over another connection; that costs no retry",
        "tests/unit/ncr/test_transport.py::test_a_kept_connection_that_was_closed_costs_neither_a_retry_nor_a_poll",
    ),
    "every second request is refused, for hours": Told(
        "one retry in ten seconds and account is allowed beside the budget: few polls of a small "
        "deployment fail",
        "tests/unit/ncr/test_retries.py::test_few_polls_of_a_small_deployment_fail_where_every_second_request_does",
    ),
    "the API is out for hours": Told(
        "a failed list is asked for again after a fifth of its interval, then two fifths, then "
        "once an interval",
        "tests/unit/polling/test_poller.py::test_an_image_that_goes_on_failing_is_asked_for_no_more_often_than_one_that_does_not",
    ),
    "the only tag of the last page is pushed again while the list is read": Told(
        "the list is read once more",
        "tests/unit/ncr/test_client.py::test_the_only_tag_of_the_last_page_may_be_pushed_again_while_the_list_is_read",
    ),
    "an image list has fewer names than its own `count`": Told(
        "it does not tell what is gone; the fifth such list in a row does, since the count may be "
        "of something else",
        "tests/unit/polling/test_images.py::test_a_list_with_fewer_names_than_its_count_does_not_tell_what_is_gone",
    ),
    "`pull_count` dips and comes back": Told(
        "`ncr_image_pulls_total` stays; a lower count is published when two lists in a row say so, "
        "or when it is less than half",
        "tests/unit/polling/test_images.py::test_a_pull_count_that_dips_is_published_only_when_it_is_said_twice_running",
    ),
}
"""What happens between exporter and API beside the faults → what is seen of it."""
