"""What README and docs/security.md promise about privacy, and what attacks each promise.

A claim is known by words of it. `careless` names what the attack does where the protection is left
out, or to something that has none: without that, it would prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """Words of the promise, the attacks on it, and what they do where nothing protects."""

    words: str
    attacks: tuple[str, ...]
    careless: str


def _claim(words: str, careless: str, *attacks: str) -> Claim:
    return Claim(words, attacks, careless)


HANDS, DEFAULT = "safety/hijack.py::hands", "safety/hijack.py::default_way"
GATEWAY, NODE = "safety/hijack.py::gateway_ports", "safety/hijack.py::node_ports"
KERNELS, DEBUGGERS = "safety/hijack.py::kernels", "safety/hijack.py::debuggers"
NAMES = "safety/attacks/planted_names.py::names_below_tmp"
PREFIXES = "safety/attacks/planted_prefixes.py::prefixes"
WORDS = "safety/attacks/words.py::words"
COMPUTER = "safety/attacks/controller.py::computer"
SWEPT = "safety/attacks/swept.py::swept_runtime"
SECRETS = "e2e/test_secrets.py::test_no_secret_is_seen_anywhere"
DAMAGE = "safety/test_damage.py::test_no_damage_opens_a_server"
RACE = (
    "safety/test_race.py::test_a_racing_reader_gets_what_is_open_for_a_moment_and_nothing_of_ours"
)
REBINDS = (
    "host/test_served_profile.py::test_a_page_that_rebinds_its_name_to_this_computer_is_refused"
)
SITES = "host/test_served_profile.py::test_another_sites_page_can_neither_change_nor_read_anything"
COOKIE = (
    "host/test_served_profile.py"
    "::test_a_changed_password_ends_old_sessions_even_if_the_change_was_interrupted"
)
TRUST, FLIPS = "host/test_trust.py", "host/test_flips.py"
ISOLATION, ENGINES = "host/test_parallel_isolation.py", "host/test_parallel_default_profile.py"
WITHOUT_KEYS = "host/test_parallel_local.py::test_whoever_has_no_keys_hears_nothing_of_the_engines"
SESSION, WAYS = "host/test_ssh_session.py", "host/test_route_faults.py"
INSTALLER = f"{FLIPS}::test_damaged_installers_are_refused_and_only_the_good_one_is_executed"
OTHER_SITE = f"{TRUST}::test_openssl_accepts_the_notebook_and_refuses_another_site"
OTHER_CERTIFICATE = "host/test_probe.py::test_a_server_with_another_certificate_is_told_no_secret"
USED_BY_OTHERS = (
    f"{SESSION}::test_nothing_that_is_tried_can_be_used_by_another_user_of_this_computer"
)

CLAIMS = (
    # README, "What keeps it private"
    _claim("a Unix socket in a directory of yours", "each door opens for its owner",
           HANDS, DEFAULT, GATEWAY),
    _claim("TLS and a password guard it", "a canary is found where it is written down",
           SECRETS, "host/test_served_profile.py::test_a_stranger_is_refused",
           "pure/test_crypto.py"
           "::test_each_hash_has_a_salt_of_its_own_and_the_cost_that_we_promise"),
    _claim("A damaged configuration, an expired certificate", "Jupyter itself comes up open",
           DAMAGE, OTHER_CERTIFICATE),
    _claim("No port leads to a kernel", "a kernel without our launcher has ports; id runs in one",
           KERNELS, DEBUGGERS),
    _claim("do warn when somebody else answers", "an authority without constraints signs any site",
           OTHER_SITE),
    _claim("`make hijack` and `make damage` show it", "see the others", HANDS, DAMAGE),
    _claim("An installer is executed only when", "the undamaged one is executed", INSTALLER),
    # docs/security.md, the table
    _claim("server, session, kernels", "doors open for their owner; old kernels have ports",
           HANDS, KERNELS, NAMES, SWEPT,
           "host/test_private_directory.py"
           "::test_a_connection_that_breaks_is_not_made_anew_to_a_neighbours_socket"),
    _claim("the tunnel", "an imposter at a port is reached by who does not look", GATEWAY, NODE),
    _claim("what ssh forwards while `connect`", "a forwarded port lets everybody in",
           COMPUTER, USED_BY_OTHERS),
    _claim("your shared logins", "a socket of one's own is taken",
           f"{SESSION}::test_a_socket_of_another_user_is_not_taken_for_a_login_of_the_person"),
    _claim("what you are told to type", "ssh's own words are believed",
           f"{WAYS}::test_what_a_server_says_is_never_taken_for_the_words_of_ssh",
           f"{WAYS}::test_the_command_to_type_is_made_of_words_that_the_shell_leaves_alone"),
    _claim("password, token, keys", "a careless writer is read thousands of times", RACE, HANDS),
    _claim("that the server is closed", "Jupyter itself comes up open", DAMAGE),
    _claim("all secrets", "a canary is found where it is written down", SECRETS),
    _claim("whoever runs a playbook there", "careless programs are taken over at every name",
           NAMES, PREFIXES, SWEPT),
    _claim("your terminal, and what we believe", "cat shows the words raw", WORDS),
    _claim("what leads to the node", "a forwarded port lets everybody in", COMPUTER),
    _claim("what engines compute and print", "a neighbour reads engines that are not encrypted",
           WITHOUT_KEYS,
           f"{ENGINES}::test_a_neighbour_reads_the_output_of_engines_that_somebody_starts_elsewhere",
           f"{ENGINES}::test_a_neighbour_reads_nothing_of_engines_that_a_served_kernel_starts"),
    _claim("environments whose kernels are shown by choice", "one of the person's own is shown",
           "host/test_environment_kernels.py::test_an_environment_is_not_shown_and_hides_no_other"),
    _claim("the processes of `cluster_view`", "python -m runs what was planted",
           "safety/attacks/working_directory.py::cluster_view",
           "safety/attacks/working_directory.py::cluster_view_in_a_job",
           f"{ISOLATION}::test_a_careless_start_of_python_runs_what_was_planted"),
    _claim("programs on your own computer", "ansible.cfg and python -c run what was planted",
           "safety/attacks/controller_directory.py::directory_of_the_controller"),
    _claim("your notebooks' signatures", "Jupyter makes its database through the link",
           "host/test_private_directory.py"
           "::test_a_notebook_is_saved_and_no_link_of_a_neighbour_followed",
           "host/test_private_directory.py"
           "::test_what_is_typed_is_not_noted_in_a_directory_of_a_neighbour"),
    _claim("the session | a new cookie secret", "the cookie is good until then", COOKIE),
    _claim("the session | Host, Origin and XSRF", "the right page may", REBINDS, SITES),
    _claim("somebody in the server's place", "who has the certificate is told the token",
           OTHER_CERTIFICATE, OTHER_SITE),
    _claim("the installer", "the undamaged one is executed", INSTALLER),
)  # fmt: skip
