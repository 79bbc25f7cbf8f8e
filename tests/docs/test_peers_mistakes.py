"""Mistakes that exporters of other registries make, each with the tests that rule it out here."""

import importlib

import pytest

MISTAKES = {
    "labels swapped": ["unit.metrics.test_exposition.test_image_and_tag_are_not_swapped"],
    "only the last page kept": [
        "unit.ncr.test_client.test_every_page_is_read_and_not_only_the_last"
    ],
    "a timeout option that is never used": [
        "unit.ncr.test_transport.test_a_trickle_of_bytes_does_not_outlive_the_deadline",
    ],
    "zeros published on errors or before the first poll": [
        "unit.metrics.test_exposition.test_an_image_that_was_not_polled_publishes_no_zeros",
        "e2e.test_program.test_each_fault_is_one_clear_line_the_right_counter_and_no_untrue_value",
        "unit.inventory.test_inventory.test_a_size_that_nobody_knows_is_absent_and_not_0",
    ],
    "sizes counted once per alias": [
        "unit.inventory.test_inventory.test_an_images_bytes_count_each_platform_digest_once_over_all_tags",
    ],
    "series cleared before they are filled again": [
        "unit.state.test_store.test_a_success_puts_the_whole_listing_in_force_at_once",
        "unit.metrics.test_exposition.test_the_pieces_are_of_the_moment_of_the_call",
    ],
    "deleted tags exported for ever": [
        "unit.metrics.test_exposition.test_a_vanished_tag_leaves_with_the_next_poll",
    ],
    "everything deleted on one error": [
        "unit.state.test_store.test_a_failure_leaves_the_last_good_listing_standing",
        "unit.app.test_serve.test_after_an_error_the_last_good_values_stand_and_up_is_0",
    ],
    "one 429 leads to a pause of years": [
        "unit.ncr.test_rate.test_the_breaker_is_tripped_as_long_as_asked_but_never_for_years",
    ],
    "one 429 ends the process": [
        "unit.polling.test_poller.test_a_throttled_account_fails_due_polls_without_asking_and_heals_after_the_pause",
    ],
    "health that never recovers": [
        "unit.state.test_store.test_a_success_after_failures_heals",
        "unit.polling.test_poller.test_a_failure_leaves_the_last_good_data_and_heals_with_the_next_poll",
    ],
    "liveness tied to the cloud": ["e2e.test_program.test_a_scrape_never_waits_for_the_api"],
    "documented names that are not exposed": [
        "unit.metrics.test_exporter_metrics.test_the_families_are_those_of_the_catalogue_with_its_help_and_labels",
        "unit.app.test_serve.test_every_family_of_the_catalogue_is_in_live_output_with_its_labels",
    ],
    "a new image that nobody pulled yet counted as the stalest": [
        "unit.inventory.test_inventory.test_a_new_image_that_nobody_pulled_yet_was_used_when_it_was_pushed",
        "unit.inventory.test_inventory.test_a_never_pulled_tag_is_idle_since_its_push",
    ],
    "a sum of platforms taken for a tag's size": [
        "unit.inventory.test_inventory.test_a_tags_size_is_its_largest_platforms_and_never_a_sum_of_platforms",
    ],
    "a cap on series that hides the tags an alert is about": [
        "unit.inventory.test_inventory.test_the_newest_and_the_longest_unused_tags_get_series",
    ],
    "a missing image and a failing poll told by one value": [
        "unit.ncr.test_transport.test_an_unknown_image_is_not_found_by_the_service_itself",
        "unit.ncr.test_responses.test_a_404_tells_whether_the_service_itself_said_so",
    ],
    "redirects that forward credentials": [
        "unit.ncr.test_transport.test_a_redirect_is_an_error_and_the_key_goes_nowhere_else",
    ],
    "a connection pool per request": [
        "unit.ncr.test_transport.test_connections_are_kept_alive_between_requests",
    ],
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_known_mistake_is_ruled_out_by_tests_that_exist(mistake: str) -> None:
    for name in MISTAKES[mistake]:
        module, test = name.rsplit(".", 1)
        assert callable(getattr(importlib.import_module(f"tests.{module}"), test, None)), name
