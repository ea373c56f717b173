"""Every fault that concerns an installation has a test. The rows are those of the table of faults.

What stands here is checked for being there; what a row wants stands in the test itself.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOWNLOADS = "unit/test_conda_distribution_downloads.py"
FAULTS = "unit/test_conda_distribution_faults.py"
ROOM = "unit/test_conda_distribution_room.py"
HOSTS = "unit/test_conda_distribution_hosts.py"
STATES = "unit/test_conda_distribution_states.py"
AT_ONCE = "unit/test_conda_distribution_at_once.py"
WHOLE = "unit/test_conda_distribution.py"
KILLS = "unit/test_kills.py"

BAD = f"{DOWNLOADS}::test_a_bad_download_is_refused_and_never_executed"
REFUSED = f"{ROOM}::test_a_file_system_that_cannot_take_it_is_refused_before_anything_is_made"
ROWS = {
    "T12 flipped bytes": "unit/test_flips.py::test_damaged_installers_are_refused_and_only_the_"
    "good_one_is_executed",
    "T13 swapped file": f"{DOWNLOADS}::test_what_is_swapped_after_its_checksum_is_not_executed",
    "T13 another user": f"{DOWNLOADS}::test_nobody_else_reaches_what_is_checked_and_executed",
    "F1 truncated body": f"{DOWNLOADS}::test_a_truncated_download_resumes_where_it_stopped",
    "F1 on the controller": f"{DOWNLOADS}::test_a_download_resumes_on_the_controller_too",
    "F2 truncated chunks": f"{DOWNLOADS}::test_an_answer_in_chunks_that_breaks_off_is_not_executed",
    "F3 wrong checksum": BAD,
    "F4 404, 410": BAD,
    "F6 HTML page": BAD,
    "F7 no bytes": BAD,
    "F8 stall, drip": f"{DOWNLOADS}::test_a_download_that_takes_too_long_ends_at_the_deadline",
    "F10 self-signed": f"{DOWNLOADS}::test_an_untrusted_certificate_is_refused",
    "F10 expired, wrong host": f"{DOWNLOADS}::test_a_bad_certificate_is_refused",
    "F12 proxy": f"{DOWNLOADS}::test_a_useless_proxy_is_named",
    "F13 cached": f"{DOWNLOADS}::test_a_good_cached_file_makes_no_request",
    "F15 full before the start": REFUSED,
    "F16 full in the middle": f"{ROOM}::test_a_disk_that_fills_in_the_middle_damages_nothing",
    "F18 inodes": f"{ROOM}::test_a_disk_that_fills_in_the_middle_damages_nothing",
    "F19 quota": f"{ROOM}::test_a_quota_of_the_kernel_is_found_before_anything_is_made",
    "F19 in the middle": f"{ROOM}::test_a_quota_that_is_exhausted_in_the_middle_is_named",
    "F20 read-only home": REFUSED,
    "F22 noexec TMPDIR": f"{ROOM}::test_a_noexec_tmp_does_not_matter",
    "F23 noexec home": REFUSED,
    "F24 chmod ignored": f"{ROOM}::test_a_file_system_without_private_directories_is_refused",
    "F26 EBUSY": f"{ROOM}::test_trash_that_cannot_be_removed_yet_is_reported_and_no_fault",
    "F27 symlinked home": f"{HOSTS}::test_a_symlinked_home_is_one_installation",
    "F28 dangling link": f"{FAULTS}::test_what_somebody_else_made_is_left_alone",
    "F29 long path": "unit/test_installation.py::test_a_host_that_cannot_take_it_is_refused",
    "F31 setgid, ACL": f"{ROOM}::test_what_a_directory_above_gives_to_a_group_does_not_reach_what_"
    "is_private",
    "F34 every step": f"{KILLS}::test_a_kill_after_any_single_step_does_not_either",
    "F35 any moment": f"{KILLS}::test_a_kill_of_any_part_leaves_nothing_that_the_next_run_does_not_"
    "mend",
    "F37 signals": f"{FAULTS}::test_the_worker_outlives_the_controller_and_is_joined",
    "F38 dropped connection": "e2e/test_installation.py::test_two_nodes_a_broken_connection_and_a_"
    "member_of_the_lab",
    "F39 twenty at once": f"{AT_ONCE}::test_twenty_runs_at_once_make_one_installation",
    "F39 two hosts": f"{AT_ONCE}::test_a_run_from_another_host_of_the_home_says_who_works",
    "F41 stale lock": f"{FAULTS}::test_the_lock_of_a_dead_worker_is_taken_over",
    "F42 lock of another host": f"{FAULTS}::test_the_lock_of_another_host_is_never_stolen",
    "F44 half a prefix": f"{FAULTS}::test_half_a_generation_without_marker_is_garbage",
    "F44 foreign prefix": f"{STATES}::test_a_working_installation_is_adopted_when_asked_and_stays_"
    "as_it_is",
    "F46 bad pin": f"{FAULTS}::test_a_bad_package_leaves_the_live_installation_alone",
    "F46 failing import": f"{FAULTS}::test_a_package_that_cannot_be_imported_does_not_become_live",
    "F47 no python": f"{HOSTS}::test_it_installs_with_wget_and_no_python",
    "F48 old python": f"{HOSTS}::test_an_old_python_is_as_good_as_none",
    "F53 architecture, libc": f"{HOSTS}::test_a_host_that_cannot_run_it_is_refused_before_the_"
    "download",
    "F55 login files": f"{HOSTS}::test_a_login_file_that_waits_for_ever_is_named",
    "F56 umask": f"{WHOLE}::test_modes_do_not_depend_on_the_umask",
    "F80 removal in use": f"{STATES}::test_nothing_is_removed_while_a_program_runs_from_it",
}


@pytest.mark.parametrize("row", ROWS)
def test_a_fault_has_a_test(row: str) -> None:
    file, _colons, name = ROWS[row].partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
