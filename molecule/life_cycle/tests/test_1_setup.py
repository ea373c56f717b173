"""After setup and start: everything is there, and judged by other people's tools."""

import pytest

HOME = "/home/alice"
PROFILE = f"{HOME}/.ipython/profile_nbserver"
MODULE = "module use ~/modulefiles && module load anaconda"
LOCAL = "/tmp/nbserver-$(id -u)"


def login(host, command):
    """Run a command as in a login shell, where the site has put its module system."""
    return host.run("bash -lc %s", command)


def test_the_prefix_leads_to_a_complete_generation(host):
    generation = host.check_output(f"readlink {HOME}/anaconda")
    assert generation.startswith("anaconda.d/testforge") or generation.startswith("anaconda.d/")
    assert host.run(f"{HOME}/anaconda/bin/conda --version").rc == 0


@pytest.mark.parametrize("program", ["jupyter lab", "jupyter notebook"])
def test_the_distribution_has_the_front_ends(host, program):
    assert login(host, f"{MODULE} && {program} --version").rc == 0


def test_the_module_brings_the_distribution_first_in_the_path(host):
    found = login(host, f"{MODULE} && command -v python && echo $ANACONDA_HOME")
    assert found.stdout.split() == [f"{HOME}/anaconda/bin/python", f"{HOME}/anaconda"]


# What the login files of a site do in each shell; those of Debian do it in bash only.
LMOD = "/usr/share/lmod/lmod/init"
SHELLS = {
    "bash": f". {LMOD}/profile",
    "zsh": f". {LMOD}/profile",
    "tcsh": f"source {LMOD}/cshrc",
    "fish": f"source {LMOD}/profile.fish",
}
ACTIVATED = """
module use ~/modulefiles
module load anaconda
conda create -y -n {name}
mkdir -p ~/anaconda.d/envs/{name}/bin
ln -s /bin/echo ~/anaconda.d/envs/{name}/bin/only-there
conda activate {name}
only-there "$CONDA_PREFIX"
conda deactivate
env | grep CONDA_PREFIX
python -c 'import sys; print(sys.prefix)'
"""


@pytest.fixture
def environments(host):
    """Where the person's own environments lie; nothing stays there for the next scenario."""
    path = f"{HOME}/anaconda.d/envs"
    yield path
    host.run("rm -r %s", path)


@pytest.mark.parametrize("shell", SHELLS)
def test_an_environment_of_the_person_is_activated_without_conda_init(host, environments, shell):
    name = f"of-{shell}"
    made = f"{environments}/{name}"
    typed = f"{SHELLS[shell]}\n{ACTIVATED.format(name=name)}"
    said = host.check_output("printf %%s %s | %s", typed, shell).splitlines()
    assert said[-2:] == [made, f"{HOME}/anaconda"], said


@pytest.mark.parametrize("command", ["ssh -V", "git --version", "module avail", "ls", "tmux -V"])
def test_the_tools_of_the_site_still_work_with_the_module_loaded(host, command):
    assert login(host, f"{MODULE} && {command}").rc == 0


def test_unloading_restores_the_environment_exactly(host):
    # All but the table in which Lmod itself keeps what it did.
    watched = "env | grep -v -e ^_= -e ^_ModuleTable -e ^__LMOD_REF_COUNT | sort"
    result = login(
        host,
        f"module use ~/modulefiles; before=$({watched}); module load anaconda; "
        f"loaded=$({watched}); module unload anaconda; after=$({watched}); "
        'diff <(echo "$before") <(echo "$after") && test "$before" != "$loaded"',
    )
    assert result.rc == 0, result.stdout


def test_nothing_of_the_profile_can_be_read_by_others(host):
    assert host.check_output(f"find {PROFILE} -perm /077") == ""


def test_openssl_finds_the_names_that_a_browser_asks_for(host):
    text = host.check_output(
        f"openssl x509 -in {PROFILE}/security/notebook.crt -noout -ext subjectAltName"
    )
    for name in ("DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"):
        assert name in text


def test_the_session_is_in_the_tmux_of_its_own_socket(host):
    assert host.run(f"tmux -S {LOCAL}/tmux.sock has-session -t =nbserver").rc == 0


def test_curl_speaks_with_the_server_by_the_certificate_and_is_refused_without_a_token(host):
    ask = f"curl -sS -o /dev/null -w '%{{http_code}}' --unix-socket {LOCAL}/notebook.sock"
    trust = f"--cacert {PROFILE}/security/notebook.crt"
    assert host.check_output(f"{ask} {trust} https://localhost/api/contents") == "403"
    assert host.check_output(f"{ask} {trust} https://localhost/login") == "200"


def test_no_port_of_the_server_can_be_reached(host):
    listening = host.check_output("ss -Hltn")
    assert ":8888" not in listening


def test_the_legacy_names_of_the_configuration_are_gone(host):
    text = host.file(f"{PROFILE}/jupyter_server_config.py").content_string
    assert "NotebookApp" not in text
