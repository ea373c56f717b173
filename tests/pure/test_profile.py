"""Rendering the files of a profile, read back by their own readers."""

from __future__ import annotations

import ast
import json

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.kernel_launcher import launcher
from hypothesis import given, settings
from hypothesis import strategies as st
from traitlets.config.loader import PyFileConfigLoader

LAYOUT = profile.Layout("/home/alice", "nbserver")
TEXT = st.text(st.characters(exclude_categories=("Cs",)))
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.from_regex(r"[A-Z][A-Za-z]{0,8}\.x_[a-z_]{1,8}", fullmatch=True)


def loaded(text: str, directory) -> dict:
    """Read a configuration as Jupyter does."""
    file = directory / "config.py"
    file.write_text(text)
    return PyFileConfigLoader(file.name, path=str(directory)).load_config()


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("config")


@pytest.mark.fault("80 quotes")
@settings(deadline=None)
@given(root_dir=TEXT.map("/{}".format), options=st.dictionaries(NAMES, PLAIN, max_size=4))
def test_any_value_arrives_as_it_is(directory, root_dir, options):
    config = loaded(profile.server_config(LAYOUT, root_dir, options), directory)
    assert config["ServerApp"]["root_dir"] == root_dir
    for name, value in options.items():
        section, trait = name.split(".")
        assert config[section][trait] == value
    assert profile.root_directory(profile.server_config(LAYOUT, root_dir, options)) == root_dir


@pytest.mark.parametrize(
    "text",
    ["", "c.ServerApp.root_dir = '/theirs'\n", f"{profile.MANAGED}\nc.ServerApp.root_dir = f(\n"],
)
def test_another_configuration_names_no_root_directory(text):
    assert profile.root_directory(text) is None


@pytest.mark.threat(25)
@given(
    home=TEXT.map("/{}".format), root_dir=TEXT, options=st.dictionaries(NAMES, PLAIN, max_size=4)
)
def test_no_value_ever_adds_a_statement(home, root_dir, options):
    layout = profile.Layout(home, "nbserver")
    plain = ast.parse(profile.server_config(LAYOUT, "/", {}))
    tree = ast.parse(profile.server_config(layout, root_dir, options))
    assert len(tree.body) == len(plain.body) + len(options)
    assert [type(node) for node in tree.body if not isinstance(node, ast.Assign)] == [
        type(node) for node in plain.body if not isinstance(node, ast.Assign)
    ]
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            ast.literal_eval(node.value)


@given(python=TEXT, home=TEXT)
def test_the_kernel_is_started_by_exactly_this_python(python, home):
    spec = json.loads(profile.kernel_spec(profile.Layout(home, "nbserver"), python))
    assert spec["argv"] == [
        python,
        "-Xfrozen_modules=off",
        f"{home}/.ipython/profile_nbserver/jupyter/kernels/python3/launch.py",
        "-f",
        "{connection_file}",
        "--profile=nbserver",
    ]
    assert spec["env"] == {"IPYTHONDIR": f"{home}/.ipython"}


def test_the_configuration_is_closed_by_default(directory):
    config = loaded(profile.server_config(LAYOUT, "~/notebooks", {}), directory)
    assert config["PasswordIdentityProvider"] == {
        "password_required": True,
        "allow_password_change": False,
    }
    assert config["KernelManager"] == {"transport": "ipc"}
    assert config["ServerApp"] == {
        "open_browser": False,
        "certfile": "/home/alice/.ipython/profile_nbserver/security/notebook.crt",
        "keyfile": "/home/alice/.ipython/profile_nbserver/security/notebook.key",
        "cookie_secret_file": "/home/alice/.ipython/profile_nbserver/security/cookie_secret",
        "root_dir": "/home/alice/notebooks",
        "port_retries": 0,
        "extra_template_paths": ["/home/alice/.ipython/profile_nbserver/templates"],
    }
    assert "debug_request" not in config["MappingKernelManager"]["allowed_message_types"]


def test_the_debugger_is_a_choice(directory):
    config = loaded(profile.server_config(LAYOUT, "~", {}, debugger=True), directory)
    assert "MappingKernelManager" not in config
    assert json.loads(profile.kernel_spec(LAYOUT, "python", debugger=True))["metadata"]["debugger"]
    assert "ipkernel._is_debugpy_available = False" in launcher(), "of old versions, too"
    with_one = launcher(debugger=True)
    assert (
        f'("{profile.ENVIRONMENTS}") == "kernel":\n    debugger._is_debugpy_available' in with_one
    )


@pytest.mark.parametrize("debugger", [True, False])
def test_the_launcher_of_kernels_is_python(debugger):
    compile(launcher(debugger=debugger), "launch.py", "exec")


@pytest.mark.parametrize("text", [profile.KERNEL_CONFIG, profile.server_config(LAYOUT, "~", {})])
def test_databases_stay_on_the_node_once_there_is_a_place_for_them(directory, monkeypatch, text):
    monkeypatch.delenv("JUPYTER_RUNTIME_DIR", raising=False)
    assert not {"HistoryManager", "NotebookNotary"} & set(loaded(text, directory))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", "/tmp/nbserver-1000/runtime")
    assert "/tmp/nbserver-1000/runtime/" in str(loaded(text, directory))


@pytest.mark.parametrize(
    ("given_path", "expanded"),
    [
        ("~", "/home/alice"),
        ("~/a b", "/home/alice/a b"),
        ("/x/~", "/x/~"),
        ("~bob", "~bob"),
        ("/x", "/x"),
    ],
)
def test_only_the_persons_own_home_is_expanded(given_path, expanded):
    assert LAYOUT.expanded(given_path) == expanded


@pytest.mark.parametrize(
    ("content", "ours"),
    [
        (profile.server_config(LAYOUT, "~", {}).encode(), True),
        (b"# Managed by hpcc.notebook: an older wording\n", True),
        (b"c = get_config()\n# Managed by hpcc.notebook\n", False),
        (b"", False),
    ],
)
def test_a_file_of_ours_is_told_from_a_persons(content, ours):
    assert profile.is_ours(content) is ours


@pytest.mark.parametrize(
    "line",
    [
        "c.NotebookApp.password = u'sha1:1d2f94d56c5c:CANARY'",
        "c.PasswordIdentityProvider.hashed_password = 'argon2:$argon2id$v=19$m=1,t=1,p=1$s$CANARY'",
        "c.ServerApp.password='CANARY'",
        "# argon2:$argon2id$v=19$m=1,t=1,p=1$s$CANARY",
        "c.IdentityProvider.token = 'CANARY'",
    ],
)
def test_a_diff_never_shows_a_secret(line):
    shown = profile.without_secrets(f"before = 1\n{line}\nafter = 2\n".encode())
    assert "CANARY" not in shown
    assert shown.startswith("before = 1\n")
    assert shown.endswith("\nafter = 2\n")


@pytest.mark.parametrize(
    ("python", "title"),
    [
        (profile.OWN_PYTHON, "Python 3 (base)"),
        ("/home/alice/envs/ml/bin/python", "Python 3 (~/envs/ml/bin/python)"),
        ("/usr/bin/python3", "Python 3 (/usr/bin/python3)"),
    ],
)
def test_the_launcher_says_whose_packages_a_kernel_has(python, title):
    assert json.loads(profile.kernel_spec(LAYOUT, python))["display_name"] == title
