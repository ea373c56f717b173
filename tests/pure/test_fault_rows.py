"""Every row of the table of faults has a test, and so has each bad value for the server.

What stands here is checked for being there; what a row wants stands in the test itself.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOWNLOADS = "host/test_conda_distribution_downloads.py"
FAULTS = "host/test_conda_distribution_faults.py"
ROOM = "host/test_conda_distribution_room.py"
HOSTS = "host/test_conda_distribution_hosts.py"
STATES = "host/test_conda_distribution_states.py"
AT_ONCE = "host/test_conda_distribution_at_once.py"
WHOLE = "host/test_conda_distribution.py"
KILLS = "host/test_kills.py"

BAD = f"{DOWNLOADS}::test_a_bad_download_is_refused_and_never_executed"
REFUSED = f"{ROOM}::test_a_file_system_that_cannot_take_it_is_refused_before_anything_is_made"
INSTALLATION = {
    "T12 flipped bytes": "host/test_flips.py::test_damaged_installers_are_refused_and_only_the_"
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
    "F29 long path": "pure/test_installation.py::test_a_host_that_cannot_take_it_is_refused",
    "F31 setgid, ACL": f"{ROOM}::test_what_a_directory_above_gives_to_a_group_does_not_reach_what_"
    "is_private",
    "F34 every task": "e2e/test_kills.py::test_a_setup_that_is_killed_at_each_of_its_tasks_goes_on_"
    "and_loses_nothing",
    "F34 every step": f"{KILLS}::test_a_kill_after_any_single_step_does_not_either",
    "F35 any moment": f"{KILLS}::test_a_kill_of_any_part_leaves_nothing_that_the_next_run_does_not_"
    "mend",
    "F37 signals": f"{FAULTS}::test_the_worker_outlives_the_controller_and_is_joined",
    "F38 dropped connection": "e2e/test_installation.py::test_two_nodes_a_broken_connection_and_a_"
    "member_of_the_lab",
    "F39 twenty at once": f"{AT_ONCE}::test_twenty_runs_at_once_make_one_installation",
    "F39 two hosts": f"{AT_ONCE}::test_a_run_from_another_host_of_the_home_waits_and_finds_it_done",
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

SERVER = "host/test_notebook_server.py"
BROKEN = "host/test_notebook_server_faults.py"
RECORDS = "host/test_notebook_server_records.py"
REFUSED = "host/test_notebook_server_refusals.py"
INFO = "host/test_notebook_server_info.py"
CERTIFICATE = "host/test_notebook_certificate.py"
PASSWORD = "host/test_notebook_password.py"
MODULEFILE = "host/test_lmod_module.py"
CONNECT = "e2e/test_connect.py"
LOGIN = "e2e/test_login.py"
PARALLEL = "e2e/test_parallel_faults.py"

DOCTOR = "host/test_doctor.py::test_a_check_can_fail_and_says_what_to_type"
DAMAGED = f"{REFUSED}::test_a_damaged_profile_is_refused_before_anything_is_made"
RUNNING = {
    "F32 clock": f"{CERTIFICATE}::test_it_is_valid_where_the_clock_is_nearly_an_hour_behind",
    "F32 told": DOCTOR,
    "F49 no tmux": f"{REFUSED}::test_without_tmux_nothing_is_made",
    "F50 Tcl or Lmod": f"{MODULEFILE}::test_the_language_of_the_site_is_found_out",
    "F50 modules of a server": "host/test_server.py"
    "::test_modules_are_loaded_or_refused_whatever_exit_code_the_site_gives",
    "F52 stale cache": DOCTOR,
    "F58 FIPS, password": "host/test_fips.py"
    "::test_a_password_that_cannot_be_hashed_is_told_with_the_way_around",
    "F58 FIPS, certificate": "host/test_fips.py"
    "::test_a_key_that_cannot_be_made_is_told_in_one_line",
    "F59 own server": f"{SERVER}::test_the_four_beats_of_a_start_and_of_a_stop",
    "F59 of another": f"{REFUSED}::test_a_squatted_port_is_refused_with_its_owner",
    "F59 on this computer": f"{CONNECT}::test_a_taken_port_is_named_with_its_holder",
    "F61 tmux killed": f"{BROKEN}::test_a_tmux_that_was_killed_is_followed_by_exactly_one_server",
    "F61 its socket deleted": f"{BROKEN}"
    "::test_a_deleted_socket_of_tmux_is_made_again_around_the_living_server",
    "F61 seen": f"{INFO}::test_a_lost_tmux_socket_is_seen",
    "F63 logout": "host/test_logind.py::test_a_server_survives_the_logout_that_kills_its_session",
    "F63 told": DOCTOR,
    "F64 reboot": f"{RECORDS}::test_a_record_from_before_a_reboot_is_no_server",
    "F64 seen": f"{INFO}::test_a_server_from_before_a_reboot_is_called_that",
    "F65 another node": f"{RECORDS}"
    "::test_a_server_of_another_host_is_reported_and_no_second_one_is_started",
    "F66 expired, too early": DAMAGED,
    "F66 renewed": f"{CERTIFICATE}::test_each_damage_is_named_and_healed_once",
    "F66 days": DOCTOR,
    "F67 key": DAMAGED,
    "F67 of the recipe": f"{CERTIFICATE}::test_the_pair_of_the_recipe_of_2014_is_replaced",
    "F69 misspelt option": f"{REFUSED}"
    "::test_a_configuration_that_only_jupyter_can_judge_leaves_no_server",
    "F71 interrupted": f"{PASSWORD}"
    "::test_interrupted_between_both_files_old_cookies_are_refused_and_the_next_run_finishes",
    "F71 old cookies": "host/test_served_profile.py"
    "::test_a_changed_password_ends_old_sessions_even_if_the_change_was_interrupted",
    "F73 gateway": f"{CONNECT}::test_a_gateway_that_forbids_jumping_is_passed_by_a_relay",
    "F73 node": f"{CONNECT}::test_a_node_that_forbids_forwarding_is_recognised",
    "F74 asked at connect": f"{LOGIN}::test_connect_asks_on_the_terminal_what_ssh_asks",
    "F74 one login": f"{LOGIN}::test_one_login_serves_for_ansible_and_for_the_tunnel",
    "F75 changed key": f"{CONNECT}::test_a_changed_host_key_stops_it_and_is_shown",
    "F75 unknown key": f"{CONNECT}::test_an_unknown_host_key_stops_it_and_is_shown",
    "F76 down": f"{PARALLEL}::test_a_scheduler_that_is_stopped_is_told_and_not_waited_for",
    "F76 rejected": f"{PARALLEL}::test_a_refused_job_is_told_in_the_schedulers_own_words",
    "F76 held": f"{PARALLEL}::test_a_held_job_is_told_at_once",
    "F76 walltime": f"{PARALLEL}::test_a_reached_walltime_is_told_as_the_reason",
    "F78 old run": "host/test_parallel_local.py"
    "::test_two_runs_share_neither_files_nor_the_key_that_engines_sign_with",
    "F80 server runs": "host/test_ipython_profile.py"
    "::test_removal_is_refused_while_a_server_is_recorded",
    "F80 stopped first": "../molecule/teardown/tests/test_teardown.py::test_nothing_runs",
}

INPUT = "host/test_bad_input_rows.py"
REFUSES = f"{INPUT}::test_a_bad_value_is_refused_by_its_name"
BAD_INPUT = {
    **dict.fromkeys(("58", "59", "65", "67", "68", "70", "71", "73", "76", "77", "79"), REFUSES),
    "61 any letters": "host/test_served_profile.py"
    "::test_the_password_logs_in_and_another_one_does_not",
    "62 line ends": REFUSES,
    "62 spaces": f"{PASSWORD}::test_spaces_around_it_are_named_and_dropped_as_jupyter_drops_them",
    "64 NFC, NFD": f"{PASSWORD}::test_letters_are_composed_as_browsers_send_them",
    "74 good keys": f"{CERTIFICATE}::test_a_strict_tls_client_trusts_it_and_no_other_name",
    "80 line ends": REFUSES,
    "80 quotes": "pure/test_profile.py::test_any_value_arrives_as_it_is",
    "82 /tmp": REFUSES,
    "82 open to all": "host/test_ipython_profile.py"
    "::test_a_root_directory_that_everybody_can_write_to_is_refused",
    "112 weakening": REFUSES,
    "113 no option": REFUSES,
}
REQUEST = "../packages/cluster_helper/tests/pure/test_request.py"
GRID_ENGINE = "e2e/test_parallel_gridengine.py"
BAD_RESOURCE = f"{REQUEST}::test_a_bad_resource_is_refused_by_name_on_one_line"
PARALLEL_WORK = {
    "F76 down, SGE": f"{GRID_ENGINE}::test_a_scheduler_that_is_stopped_is_told_and_not_waited_for",
    "F76 rejected, SGE": f"{GRID_ENGINE}::test_a_refused_job_is_told_in_the_words_of_qsub",
    "F76 held, SGE": f"{GRID_ENGINE}::test_a_held_job_is_told_at_once",
    "F76 walltime, SGE": f"{GRID_ENGINE}::test_a_reached_walltime_is_told_as_the_reason",
    "F76 engine dies": f"{PARALLEL}::test_a_killed_engine_is_told_its_task_is_done_by_another_and_"
    "nobody_listens",
    "F76 engine dies, SGE": f"{GRID_ENGINE}::test_a_killed_engine_is_told_and_its_task_is_done_by_"
    "another",
    "F76 no job is left": f"{PARALLEL}::test_a_killed_notebook_leaves_nothing",
    "F76 not even later": f"{PARALLEL}::test_a_waiting_job_of_killed_notebook_and_supervisor_is_"
    "cancelled_by_the_next_cluster",
    "91 good queue": f"{REQUEST}::test_a_good_queue_is_taken_as_it_is",
    "92 bad queue": f"{REQUEST}::test_a_bad_parameter_is_refused_by_name",
    "94 the recipe's resources": f"{REQUEST}::test_the_recipes_own_line_is_understood",
    "98 untidy resources": f"{REQUEST}::test_a_resource_is_normalised",
    "100 unknown resource": f"{REQUEST}::test_an_unknown_resource_is_refused_with_what_to_say_"
    "instead",
    "103 no walltime": f"{REQUEST}::test_a_missing_walltime_is_an_hour_and_known_to_be_a_default",
    **dict.fromkeys(("95", "97", "101", "104", "106"), BAD_RESOURCE),
}

# What a change may not cost: nothing that worked is given up before the new is known to work.
PACKAGES = "host/test_conda_distribution_changes.py"
RESTART = "host/test_restart.py"
PLACES = "host/test_notebook_server_places.py"
PROOF = "host/test_proof.py"
CHANGES = {
    "a package that cannot be had": f"{PACKAGES}::test_a_list_that_cannot_work_changes_nothing_"
    "and_is_forgotten",
    "a change that is cut off": f"{PACKAGES}::test_what_was_cut_off_is_repaired_with_the_list_of_"
    "the_next_run",
    "an option that Jupyter does not take": f"{PROOF}"
    "::test_options_that_jupyter_does_not_take_leave_the_live_ones",
    "a restart with it": f"{RESTART}::test_a_restart_that_cannot_succeed_costs_no_request",
    "a restart with anything else": f"{RESTART}"
    "::test_nor_does_one_with_anything_else_that_cannot_work",
    "a failure after the trial": f"{RESTART}"
    "::test_what_passes_its_trial_and_fails_then_brings_the_old_one_back",
    "a change that works": f"{RESTART}"
    "::test_a_change_that_works_costs_no_request_before_it_has_shown_so",
    "lost files": f"{PACKAGES}::test_files_that_a_purge_has_taken_come_back",
    "emptied files": f"{PACKAGES}::test_a_file_that_a_crash_has_emptied_comes_back",
    "variables of another Python": "host/test_node_module.py"
    "::test_a_login_file_decides_nothing_about_a_module",
    "a module of Ansible": "host/test_node_module.py"
    "::test_no_role_runs_a_module_of_ansible_on_a_node",
    "a Python without a kernel": f"{PROOF}"
    "::test_a_python_without_a_kernel_leaves_the_one_that_there_is",
    "a doctor without a kernel": "host/test_doctor_damages.py"
    "::test_nothing_is_well_where_no_kernel_has_computed",
    "a closed directory of notebooks": f"{PROOF}"
    "::test_a_root_directory_that_its_owner_may_not_list_is_refused",
    "that is gone before a start": f"{RESTART}"
    "::test_a_root_directory_that_is_gone_or_closed_is_named_before_a_start",
    "that is gone under a server": f"{INFO}"
    "::test_a_directory_of_notebooks_that_is_lost_under_a_server_is_told",
    "a foreign tmux": f"{PLACES}"
    "::test_what_a_neighbour_left_in_a_directory_that_was_open_is_never_asked",
    "a directory for the lock": f"{PLACES}"
    "::test_a_directory_in_the_place_of_the_lock_is_told_in_one_line",
    "a FIFO": DAMAGED,
    "two nodes at once": f"{AT_ONCE}"
    "::test_a_run_from_another_host_of_the_home_waits_and_finds_it_done",
    "a swept socket": f"{PLACES}"
    "::test_a_socket_that_was_swept_under_a_living_server_is_known_at_once",
    "a node that is gone": f"{RECORDS}"
    "::test_a_record_of_a_host_that_is_gone_is_forgotten_by_what_start_says",
    "no locks": "host/test_processes.py::test_a_file_system_without_locks_is_named_in_one_line",
    "a full directory of modulefiles": f"{MODULEFILE}"
    "::test_a_full_disk_is_told_in_one_line_and_leaves_what_was_there",
    "redirects in a circle": f"{DOWNLOADS}::test_redirects_that_lead_nowhere_are_named",
    "a busy server": f"{DOWNLOADS}::test_a_server_that_asks_to_wait_is_asked_again",
    "quotes in a home": "pure/test_rules.py::test_refuses",
    "a login file with JSON": "host/test_node_module.py"
    "::test_a_login_file_decides_nothing_about_a_module",
    "half a modulefile": f"{MODULEFILE}"
    "::test_nothing_is_seen_of_a_file_before_it_is_whole_and_on_the_disk",
    "any sequence": "host/test_any_sequence.py"
    "::test_one_good_run_mends_any_sequence_and_the_next_has_nothing_to_do",
}
# What the doctor says of the same. A download that failed leaves nothing on the node.
# More than twenty further damages: test_doctor_damages.py and matrix/breakages.py.
DAMAGES = "host/test_doctor_damages.py"
NAMED, AROUND = (f"{DAMAGES}::test_the_doctor_names_{what}" for what in (
    "a_damage", "what_is_damaged_around_the_profile"
))  # fmt: skip
CHECK = "host/test_doctor.py::test_a_check_can_fail_and_says_what_to_type"
BROKEN_AT_ONCE = "e2e/test_doctor.py::test_everything_that_is_broken_is_seen_in_one_run"
DIAGNOSES = {
    "a change that is cut off": AROUND,
    "an option that Jupyter does not take": f"{DAMAGES}"
    "::test_the_doctor_lets_jupyter_judge_the_configuration",
    "lost files": AROUND,
    "variables of another Python": f"{DAMAGES}"
    "::test_what_a_login_file_exports_for_another_python_costs_no_kernel",
    "a Python without a kernel": f"{DAMAGES}::test_nothing_is_well_where_no_kernel_has_computed",
    "a closed directory of notebooks": f"{DAMAGES}"
    "::test_the_doctor_names_a_directory_of_notebooks_that_cannot_be_listed",
    "a foreign tmux": NAMED,
    "a directory for the lock": NAMED,
    "a FIFO": NAMED,
    "two nodes at once": AROUND,
    "a swept socket": f"{DAMAGES}"
    "::test_a_socket_that_was_swept_under_a_living_server_is_named_with_what_brings_it_back",
    "a node that is gone": f"{DAMAGES}"
    "::test_a_node_that_is_gone_is_forgotten_by_what_the_doctor_says",
    "no locks": f"{DAMAGES}::test_a_file_system_without_locks_is_named",
    "a closed directory of modulefiles": CHECK,
    "quotes in a home": f"{DAMAGES}::test_a_home_with_odd_letters_is_looked_at_as_any_other",
    "a login file with JSON": BROKEN_AT_ONCE,
    "half a modulefile": BROKEN_AT_ONCE,
}
ROWS = {
    **INSTALLATION,
    **RUNNING,
    **BAD_INPUT,
    **PARALLEL_WORK,
    **CHANGES,
    **{f"doctor: {row}": test for row, test in DIAGNOSES.items()},
}
# The numbers have gaps on purpose. Threats are in threats.py.
FAULTS_KNOWN = """
    1 2 3 4 6 7 8 10 12 13 15 16 18 19 20 22 23 24 26 27 28 29 31 32 34 35 37 38 39 41 42 44 46 47
    48 49 50 52 53 55 56 58 59 61 63 64 65 66 67 69 71 73 74 75 76 78 80
"""
INPUT_KNOWN = "58 59 61 62 64 65 67 68 70 71 73 74 76 77 79 80 82 112 113"


@pytest.mark.parametrize(
    ("rows", "known"),
    [({**INSTALLATION, **RUNNING}, FAULTS_KNOWN), (BAD_INPUT, INPUT_KNOWN)],
)
def test_no_row_is_forgotten(rows: dict[str, str], known: str) -> None:
    found = {row.split()[0].lstrip("F") for row in rows if not row.startswith("T")}
    assert found == set(known.split())


@pytest.mark.parametrize("row", ROWS)
def test_a_fault_has_a_test(row: str) -> None:
    file, _colons, name = ROWS[row].partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
