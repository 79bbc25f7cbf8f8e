"""What users see of trouble with the storage and of work in the background: tables of the docs."""

from typing import NamedTuple


class Outcome(NamedTuple):
    """What users see of one trouble, and the test that shows it."""

    words: str
    test: str
    """Its file below tests/, and its name."""


_PERSISTENCE = "unit/state/test_persistence.py::"
_STORAGE = "e2e/test_storage.py::"
_RELOADING = "unit/app/test_reloading.py::"
_FAILURES = "`ncr_exporter_state_write_failures_total` counts it, and the log says why once"

STORAGE = {
    "a write fails: no room, no permission": Outcome(
        f"{_FAILURES}; the file from before stays, `NCRStateWritesFailing` tells after 15 minutes",
        f"{_PERSISTENCE}test_a_failure_to_write_is_told_once_and_the_old_file_stays",
    ),
    "the directory vanishes": Outcome(
        "it is made again, and the state written",
        f"{_PERSISTENCE}test_a_directory_that_vanished_is_made_again",
    ),
    "another process writes there": Outcome(
        f"the second may read, and does not write until the first has ended: {_FAILURES}",
        f"{_STORAGE}test_a_second_exporter_on_the_same_path_says_so_and_shows_it",
    ),
    "the file is damaged": Outcome(
        "it is renamed to `ncr-exporter.state.damaged`, with a warning, and the exporter starts "
        "without it",
        f"{_PERSISTENCE}test_a_damaged_file_is_set_aside_with_a_warning",
    ),
    "a newer version wrote it": Outcome(
        "it is neither read nor moved nor replaced, so that the newer version can go on with it. "
        f"Until it is removed, each write fails: {_FAILURES}",
        f"{_PERSISTENCE}test_the_state_of_a_newer_version_is_neither_read_nor_moved_nor_replaced",
    ),
    "an earlier version wrote it in another form": Outcome(
        "it is set aside like a damaged one",
        "unit/state/test_state_file.py::test_a_damaged_or_foreign_file_is_refused_in_words",
    ),
    "tags in it are such as no answer of the API could hold": Outcome(
        "their image is left out, and the log counts it",
        "unit/state/test_saved.py::test_an_image_with_a_tag_that_no_answer_could_have_is_left_out",
    ),
    "it was made to take memory": Outcome(
        "what inflates to more than any tags do is left out, within 50 MiB",
        f"{_STORAGE}test_what_was_made_to_take_memory_is_left_out_in_50_mib",
    ),
    "it is larger than 1 GiB": Outcome(
        "it counts as damaged, and is not read",
        f"{_STORAGE}test_a_file_that_is_too_large_is_refused_unread",
    ),
    "it is large": Outcome(
        "the port opens first: `/-/healthy` answers 200 and `/-/ready` 503 while it is read",
        "unit/app/test_serve.py::"
        "test_the_port_is_open_before_the_state_is_read_healthy_and_not_ready",
    ),
    "SIGTERM while it is written": Outcome(
        "the exporter ends once the last state is written, with exit code 0",
        f"{_STORAGE}test_a_stop_waits_for_the_state_as_long_as_it_is_being_written",
    ),
    "SIGTERM, and the disk hangs": Outcome(
        "without any progress for 15 s the exporter ends with a warning and exit code 1",
        f"{_STORAGE}test_a_write_that_hangs_is_cut_with_a_warning_and_exit_code_1",
    ),
    "SIGTERM while it is read": Outcome(
        "the exporter ends at once, and the file stays as it was",
        f"{_STORAGE}test_a_stop_while_the_state_is_read_neither_waits_for_it_nor_writes",
    ),
    "a writer is killed": Outcome(
        "the file from before stays; what the writer left is removed at the next start",
        f"{_PERSISTENCE}test_what_a_killed_writer_left_is_removed_at_the_start",
    ),
}
"""What happens to the storage → what is seen of it."""

TASKS = {
    "the poll of an image": Outcome(
        "counts as failed: `ncr_image_up` 0; asked again as after any failure",
        "unit/polling/test_poller.py::test_an_error_nobody_foresaw_is_a_failed_poll_and_the_next_heals_it",
    ),
    "writing the state": Outcome(
        "`ncr_exporter_state_write_failures_total`; written again at the next time",
        f"{_PERSISTENCE}test_what_nobody_foresaw_is_a_failure_to_write_and_the_next_write_comes",
    ),
    "following the configuration file": Outcome(
        "`ncr_exporter_config_last_reload_successful` 0; tried again, at first after 5 s",
        f"{_RELOADING}test_what_nobody_foresaw_is_a_failed_reload_and_the_file_is_followed_on",
    ),
    "a reload that somebody asked for": Outcome(
        "`ncr_exporter_config_last_reload_successful` 0, and 500 for `POST /-/reload`",
        f"{_RELOADING}test_who_asks_for_a_reload_is_told_of_what_nobody_foresaw",
    ),
    "rendering what changed": Outcome(
        "begins again with the next change; a scrape renders what is left",
        "unit/runtime/test_cooperative.py::"
        "test_work_that_fails_is_logged_and_begins_again_when_it_is_woken",
    ),
}
"""What runs in the background → what is seen where it raises what nobody foresaw."""
