"""What the software must stand up to, and the test that shows it. A map, row by row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Threat:
    """Who wants what, where it is tried, and why it is not when it cannot be here."""

    attack: str
    tests: tuple[str, ...]
    skipped: str = ""


def _threat(attack: str, *tests: str, skipped: str = "") -> Threat:
    return Threat(attack, tests, skipped)


STRANGERS = "e2e/test_strangers.py::test_no_stranger_succeeds_with"
SECRETS = "e2e/test_secrets.py::test_no_secret_is_seen_anywhere"

# The numbers have gaps on purpose.
THREATS = {
    1: _threat("another user of the gateway holds the tunnel's port first", STRANGERS),
    3: _threat(
        "another user of the node holds the server's port first",
        STRANGERS,
        "host/test_notebook_server_refusals.py::test_a_squatted_port_is_refused_with_its_owner",
    ),
    4: _threat("another user of the node reads or feeds a kernel", STRANGERS),
    5: _threat(
        "the private key can be opened for a moment",
        "safety/test_race.py::test_a_racing_reader_gets_what_is_open_for_a_moment_and_nothing_of_ours",
        "host/test_notebook_certificate.py"
        "::test_another_user_never_gets_to_read_the_key_while_it_is_made",
    ),
    6: _threat(
        "the password's hash can be read",
        "safety/test_race.py::test_a_racing_reader_gets_what_is_open_for_a_moment_and_nothing_of_ours",
        "host/test_private_on_disk.py::test_a_parent_directory_gives_nothing_of_its_openness_on",
    ),
    7: _threat("the password stands in a process list during setup", SECRETS),
    8: _threat("the token stands in a command line, an address or a log", SECRETS),
    9: _threat(
        "somebody guesses passwords online",
        STRANGERS,
        "host/test_ipython_profile.py::test_the_token_survives_unless_others_could_read_it",
    ),
    10: _threat(
        "somebody who has the hash guesses offline",
        "pure/test_crypto.py::test_each_hash_has_a_salt_of_its_own_and_the_cost_that_we_promise",
        "host/test_notebook_password.py"
        "::test_a_weak_or_old_hash_is_replaced_even_for_the_same_password",
    ),
    11: _threat(
        "a stolen cookie outlives the password",
        "host/test_served_profile.py"
        "::test_a_changed_password_ends_old_sessions_even_if_the_change_was_interrupted",
    ),
    12: _threat(
        "an installer is changed on its way",
        "host/test_flips.py::test_damaged_installers_are_refused_and_only_the_good_one_is_executed",
    ),
    13: _threat(
        "an installer is swapped after it was checked",
        "host/test_conda_distribution_downloads.py"
        "::test_what_is_swapped_after_its_checksum_is_not_executed",
    ),
    14: _threat("somebody planted our directory in /tmp", STRANGERS),
    16: _threat(
        "root of the gateway uses the agent",
        "host/test_tunnel.py::test_an_agent_is_not_forwarded_even_when_the_person_always_does",
    ),
    17: _threat(
        "somebody stands between gateway and node",
        "e2e/test_connect.py::test_a_changed_host_key_stops_it_and_is_shown",
    ),
    18: _threat(
        "a web page of somebody else talks to the server",
        "host/test_served_profile.py"
        "::test_a_page_that_rebinds_its_name_to_this_computer_is_refused",
        "host/test_served_profile.py::test_another_sites_page_can_neither_change_nor_read_anything",
        "host/test_served_profile.py::test_another_sites_page_cannot_open_a_channel_to_a_kernel",
    ),
    19: _threat(
        "known vulnerabilities of what is installed",
        "host/test_vulnerabilities.py::test_pip_audit_knows_of_nothing",
        "host/test_vulnerabilities.py"
        "::test_the_role_installs_no_server_with_the_vulnerabilities_that_we_know",
    ),
    20: _threat(
        "a damaged configuration opens the server",
        "safety/test_damage.py::test_no_damage_opens_a_server",
    ),
    21: _threat(
        "a stolen authority signs any site",
        "host/test_trust.py::test_openssl_accepts_the_notebook_and_refuses_another_site",
        "host/test_trust.py::test_the_key_of_the_authority_is_in_no_file",
        "host/test_kept_authority.py"
        "::test_four_beats_and_the_key_of_the_authority_is_on_the_computer_only",
        "host/test_kept_authority.py"
        "::test_a_node_gets_a_certificate_for_its_names_whatever_it_asks_for",
        "host/test_kept_authority.py"
        "::test_a_node_cannot_have_its_own_authority_of_ten_years_trusted",
    ),
    22: _threat(
        "people get used to clicking warnings away",
        "host/test_trust.py::test_curl_needs_nothing_but_the_authority",
        "host/test_trust.py::test_chromium_shows_no_warning_once_the_printed_commands_were_typed",
        "e2e/test_trust.py::test_a_browser_is_told_once_and_told_back",
    ),
    24: _threat(
        "somebody on the cluster's network joins the engines",
        "e2e/test_parallel_faults.py"
        "::test_a_killed_engine_is_told_its_task_is_done_by_another_and_nobody_listens",
    ),
    25: _threat(
        "a value becomes code in a file that is rendered",
        "pure/test_profile.py::test_no_value_ever_adds_a_statement",
        "host/test_lmod_module.py::test_no_path_and_no_text_can_say_anything_else",
        "../packages/cluster_helper/tests/host/test_scripts.py::test_no_text_becomes_another_line",
        "host/test_tunnel.py::test_a_value_that_ssh_or_a_shell_would_read_as_more_is_refused",
    ),
    26: _threat(
        "what a node reports is evaluated on the controller",
        "host/test_check_variables.py::test_a_template_that_came_from_the_host_stays_text",
    ),
    27: _threat("secrets in logs, diffs and what callbacks are told", SECRETS),
    28: _threat(
        "an upgrade or a removal takes files of the person along",
        "host/test_conda_distribution_states.py::test_what_people_made_survives_the_removal",
        "host/test_ipython_profile.py::test_removal_keeps_what_a_person_put_there",
    ),
    30: _threat(
        "a forgotten server burdens a login node",
        "host/test_notebook_server.py"
        "::test_a_server_that_nobody_uses_ends_by_itself_when_that_was_asked_for",
    ),
    31: _threat(
        "the module breaks ssh, git and itself",
        "../molecule/lmod_module/tests/test_modulefile.py"
        "::test_module_load_sets_home_and_path_and_nothing_of_the_linker",
    ),
    32: _threat("somebody planted a program, a link or a socket where a playbook looks", STRANGERS),
    33: _threat("somebody planted an installation at a shared prefix", STRANGERS),
    34: _threat("somebody's words reach the terminal or are taken for an answer", STRANGERS),
    35: _threat("somebody planted modules where a script with cluster_view starts", STRANGERS),
    36: _threat("somebody recreates a swept runtime directory", STRANGERS),
    37: _threat("another user of the person's computer enters what a playbook opens", STRANGERS),
}
