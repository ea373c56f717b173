"""What is refused, what is accepted, what is only remarked upon: a table for each rule."""

import unicodedata

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import paths, secrets, server
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import (
    RULES,
    WARNINGS,
    require,
    warn,
)
from hypothesis import given
from hypothesis import strategies as st

DIGEST = "848194851a98903134187fbb4ab50efe87b003e0c0f808f97644b7524a62bf2c"
SALT_AND_HASH = "c2FsdHNhbHRzYWx0c2Fs$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaA"
NO_TEXT = [None, True, 3, 1.5, ["x"], {"x": 1}]


def argon2(cost: str, variant: str = "argon2id", version: int = 19) -> str:
    return f"argon2:${variant}$v={version}${cost}${SALT_AND_HASH}"


REFUSED = {
    "cores": [0, -1, 1025, 1.5, "x", True, None],
    "trust": ["perhaps", "", None, 3, [], "true\n"],
    "optional_path": ["doctor.json", "./doctor.json", *NO_TEXT],
    "optional_queue": ["a b", "-p", "a;b", "main\n#SBATCH --x", *NO_TEXT],
    "resources": [
        "walltime=8h",
        "walltime=00:00:00",
        "mem=16",
        "mem",
        "gpus=0",
        "gpus=many",
        "gpu=1",
        "ppn=4",
        "nodes=1:ppn=4",
        "queue=main",
        "mem=1gb;mem=2gb",
        "account=a b",
        "account=$(id)",
        "mem=2gb\n#SBATCH --wrap=id",
        *NO_TEXT,
    ],
    "prefix": [
        "",
        "/",
        "/home",
        "/usr/local",
        "~",
        "~/",
        "~root/anaconda",
        "relative/dir",
        "/home/u/my conda",
        "/home/u/a\nb",
        '/home/u/x"; os.execute("id")--',
        "/home/u/$(touch pwn)",
        "/home/u/`id`",
        "/home/ü/コンダ",
        "/" + "a" * paths.PREFIX_BYTES,
        "/home/u/a\0b",
        "-p",
        "--help",
        "/home/u/%(x)s{{1}}",
        "/home/u/a:b",
        "/home/u/anaconda/",
        "/home//anaconda",
        "/home/u/../v",
        "/home/./u",
        "~/~/x",
        *NO_TEXT,
    ],
    "generation": [
        "relative",
        "/home/k im/anaconda.d/x",
        "/home/o'brien/x",
        '/home/"/x',
        "/home/$a",
        "/" + "a" * 110,
        "/" + "ü" * 55,
    ],
    "path": ["", "relative", "~root/x", "/a\nb", "/a\0b", "-p", *NO_TEXT],
    "root_dir": [
        "/",
        "//",
        "/./",
        "/home/..",
        "/tmp",
        "/tmp/",
        "/var/../tmp",
        "/var/tmp",
        "/tmp/mine",
        "/var/tmp/a/b",
        "/dev/shm",
        "/home/u/a\nb",
        "relative",
        "",
        *NO_TEXT,
    ],
    "modulefile_dir": ["relative", "~root/x", "/a:b", "~/a:b", "/a\nb", "", *NO_TEXT],
    "modulefile_prefix": ["relative", "~root/x", "/a:b", "/a\nb", "", *NO_TEXT],
    "installer_url": [
        "",
        "http://host/x.sh",
        "ftp://host/x.sh",
        "file:///x.sh",
        "HTTPS://host/x.sh",
        "https://user:pw@host/x.sh",
        "https://token@host/x.sh",
        "https://host/x.exe",
        "https://host/x.sh?token=abc",
        "https://host/x#.sh",
        "https:///x.sh",
        "https://",
        "https://-host/x.sh",
        "https://host:0x1/x.sh",
        "https://host:99999/x.sh",
        "https://[::1/x.sh",
        "https://host/a b.sh",
        "https://host/$(id).sh",
        "https://host/x.sh\n",
        "https://bücher.example/x.sh",
        *NO_TEXT,
    ],
    "index_url": ["http://mirror/simple", "https://u:p@mirror/simple", "", *NO_TEXT],
    "sha256": [
        "",
        "a" * 32,
        "a" * 40,
        "a" * 63,
        "a" * 65,
        "a" * 128,
        "g" * 64,
        "https://same-host/x.sha256",
        DIGEST[:30] + "\u200b" + DIGEST[30:],
        DIGEST + "\n",
        " " + DIGEST,
        "٨" * 64,
        *NO_TEXT,
    ],
    "version": ["", "-1", "../x", "1/2", "1 2", "1\n", "a" * 41, *NO_TEXT],
    "packages": [
        "numpy",
        None,
        [""],
        [1],
        ["numpy; rm -rf ~"],
        ["--prefix=/x"],
        ["-c evil"],
        ["git+https://x"],
        ["../x.whl"],
        ["numpy @ https://x"],
        ["numpy >=1"],
        ["numpy>=1,"],
        ["numpy\n"],
        ["numpy", "$(id)"],
    ],
    "channels": [
        "conda-forge",
        ["http://host/x"],
        ["file:///"],
        ["conda-forge\n- evil"],
        ["-c"],
        ["../x"],
        ["https://u:p@host/x"],
        [""],
        [None],
    ],
    "owner": ["u;id", "$(id)", "a b", "a" * 33, "u\n", ["alice"], None],
    "group": ["g;id", "$(id)", "a b", "-R", "g\n", ["lab"], None],
    "ssh_user": [
        "",
        "alice@domain\nProxyCommand evil",
        "alice@do\x1fmain{",
        "u;id",
        "$(id)",
        "`id`",
        "a'b",
        "a b",
        "a" * 33,
        "Ü",
        "u\n",
        "-l",
        "u@",
        "@h",
        "u@h@i",
        "u@-h",
        "u@h;id",
        "-l@h",
        "+x",
        "DOMAIN\\u",
        *NO_TEXT,
    ],
    "ssh_host": [
        "",
        "-oProxyCommand=touch pwn",
        "user@gw@x",
        "gw:abc",
        "gw:",
        "gw:0",
        "gw:65536",
        "%h%p",
        "gw%p:22",
        "bücher.example",
        "a b",
        "gw\n",
        "@gw",
        "-l@gw",
        "gw,other",
        "[gw]:22",
        "[::1]x",
        "fe80::1%eth0",
        "$(id)",
        "a" * 64,
        ".".join(["a" * 49] * 5) + ".abcd",
        "a..b",
        *NO_TEXT,
    ],
    "ssh_alias": [
        "",
        "gw:22",
        "u@gw",
        "-gw+dev",
        "gw+",
        "+dev",
        "a++b",
        "gw+%h",
        "a+$(id)",
        *NO_TEXT,
    ],
    "key_file": ["", "-oProxyCommand=x", 'a"b', "a\nb", *NO_TEXT],
    "host_name": [
        "",
        "jump+dev1",
        "gw/dev1",
        "gw:22",
        "[::1]:22",
        "u@gw",
        "-gw",
        "gw-",
        "a" * 64,
        "%h",
        *NO_TEXT,
    ],
    "ssh_port": [0, 65536, "ssh", "22 ", True, None],
    "port": [
        0,
        -1,
        65536,
        99999,
        "0",
        "-1",
        "65536",
        "8888.0",
        8888.0,
        "8_888",
        "0x22b8",
        "8888 ",
        "8888\n",
        "08888",
        "+8888",
        "٨٨٨٨",
        "8888:evil:80",
        "",
        True,
        False,
        None,
        [8888],
    ],
    "seconds": [0, -1, 86401, "1e3", True, None],
    "queue": ["", "main;rm -rf ~", "main\n#PBS -A x", "$(id)", "-x", "a b", "x" * 65, *NO_TEXT],
    "account": ["", "ged intel", "a;b", "a\nb", "-A", "x" * 65, *NO_TEXT],
    "walltime": [
        *("1", "60", "99:99:99", "-1:00:00", "00:00:00", "0:00:00", "1-00:00:00", "25:61:00"),
        *("01:00:00\n#PBS -A x", "", *NO_TEXT),
    ],
    "max_jobs": [0, -1, 100_001, 2.5, "many", True, None],
    "parallel_environment": ["", "smp 4", "main.q@node1", "-x", "a\nb", "x" * 65, *NO_TEXT],
    "address": ["", "ib0;id", "a b", "-h", "ib0\n", "x" * 65, *NO_TEXT],
    "threads": [-1, 1025, 2.5, True, None],
    "cpu_seconds": [-1, 2.5, "2 h", 366 * 86400 + 1, True, None],
    "idle_seconds": [-1, 2592001, "1h", True, None],
    "module_names": ["gcc", ["gcc", "a;b"], ["-x"], ["$(id)"], ["a b"], [""], {"gcc": 1}, None],
    "password": [
        "",
        "a1b2c3d4e5f",
        "password1234",
        "PASSWORD1234",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "a good password\n",
        "a good\x00password",
        "a good\x1bpassword",
        "a good \udcff password",
        "0123456789ab" * 100,
        123456789012,
        None,
        True,
    ],
    "password_hash": [
        "",
        "sha1:0123456789ab:da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "$argon2id$v=19$m=8,t=1,p=1$" + SALT_AND_HASH,
        "$argon2id$v=19$m=19456,t=2,p=1$" + SALT_AND_HASH,
        argon2("m=8,t=1,p=1"),
        argon2("m=19455,t=2,p=1"),
        argon2("m=19456,t=1,p=1"),
        argon2("m=19456,t=2,p=1", "argon2i"),
        argon2("m=19456,t=2,p=1", "argon2d"),
        argon2("m=19456,t=2,p=1", version=16),
        argon2("m=4194304,t=2,p=1"),
        argon2("m=1048577,t=2,p=1"),
        argon2("m=19456,t=65,p=1"),
        argon2("m=19456,t=2,p=65"),
        argon2("m=19456,t=2,p=0"),
        argon2("m=19456,t=2,p=1") + "\n",
        argon2("m=19456,t=2,p=1").replace("c2Fsd", "c2F$d"),
        argon2("m=19456,t=2,p=1")[:60],
        argon2("m=19456,t=2,p=1").replace("c2FsdHNhbHRzYWx0c2Fs", "c2FsdHNhbHRzY"),
        "hunter2hunter2",
        None,
        3,
    ],
    "profile_name": [
        "",
        ".",
        "..",
        "a/b",
        "../../x",
        "nb server",
        "nb'",
        'nb"',
        "nb\n",
        "a.b",
        "-nb",
        "ü",
        "a" * 33,
        "a" * 256,
        *NO_TEXT,
    ],
    "session_name": ["", "a.b:c", "#(touch x)", "-d", "%0", "=x", "$0", "@1", "{last}", *NO_TEXT],
    "certificate_days": [0, -5, 398, 826, "1e9", "abc", "365 ", True, None, 1e9],
    "renew_days": [-1, 397, "abc", True, None],
    "certificate_names": [
        "localhost",
        ["DNS:127.0.0.1"],
        ["IP:localhost"],
        ["localhost\0evil"],
        ["a,DNS:evil.com"],
        ["a\nb"],
        ["*.example.org"],
        [""],
        [1],
        None,
    ],
    "key_type": ["", "rsa:1024", "dsa", "ed25519", "RSA", "secp192r1", *NO_TEXT],
    "key_size": [1024, 2047, 0, 192, 521, "2048 ", "abc", True, None],
    "server_options": [
        {"ServerApp.allow_origin": "*"},
        {"NotebookApp.allow_origin": "*"},
        {"ServerApp.disable_check_xsrf": True},
        {"IdentityProvider.token": ""},
        {"ServerApp.allow_root": True},
        {"ServerApp.allow_remote_access": True},
        {"ServerApp.ip": "0.0.0.0"},
        {"ServerApp.tornado_settings": {"headers": {}}},
        {"AsyncKernelManager.transport": "tcp"},
        {"__import__('os')": 1},
        {"a b": 1},
        {"c.x": 1},
        {"ServerApp": 1},
        {"ServerApp.x\n": 1},
        {1: 1},
        {"ServerApp.x": ...},
        {"ServerApp.x": float("nan")},
        {"ServerApp.x": {1: 2}},
        [],
        "ServerApp.x=1",
        None,
    ],
    "module_name": [
        "",
        "..",
        "../x",
        "/x",
        "x/",
        "x//y",
        ".x",
        "-x",
        "x.lua",
        "a b",
        "a/b/c/d",
        "a\n",
        *NO_TEXT,
    ],
    "module_text": ["a\0b", "a\x1b[2J", "a\rb", *NO_TEXT],
}

ACCEPTED = {
    "cores": [1, "4", 1024],
    "trust": ["untouched", True, False, "true", "false", "True"],
    "optional_path": ["", "~/doctor.json", "/scratch/a b.json"],
    "optional_queue": ["", "main", "gpu-a100_2"],
    "resources": ["", "walltime=08:00:00;mem=16gb;gpus=1", "walltime=1-00:00:00; account=ged"],
    "prefix": [
        "~/anaconda",
        "~/a",
        "/opt/anaconda",
        "/mnt/home/alice@example.org/conda_3.1+x",
        "/" + "a" * (paths.PREFIX_BYTES - 1),
    ],
    "generation": ["/" + "a" * 109, "/" + "ü" * 54],
    "path": ["~", "~/x", "/", "/a b", '/it\'s "x"', "/\udcff"],
    "root_dir": ["~", "~/notebooks", '/home/u/it\'s "x"', "/tmpfs/x", "/home"],
    "modulefile_dir": ["~/modulefiles", "/opt/site modules"],
    "modulefile_prefix": ["~/anaconda", "/home/ü/]] os.exit() --[[", "/x$(id)"],
    "installer_url": [
        "https://repo.anaconda.com/archive/Anaconda3-2025.12-2-Linux-x86_64.sh",
        "https://[::1]:8443/x.sh",
        "https://mirror.example:8443/a%20b/x+1.sh",
    ],
    "index_url": ["https://pypi.org/simple", "https://mirror.example/root/pypi/+simple/"],
    "sha256": [DIGEST, DIGEST.upper()],
    "version": ["2025.12-2", "py313_26.5.3-1", "26.3.2-3"],
    "packages": [
        [],
        ["numpy>=1.26,<3", "ipyparallel"],
        ["jupyter_server>=2.21.0", "a==1.*", "b~=1.0", "zope.interface!=5"],
    ],
    "channels": [
        [],
        ["conda-forge", "defaults", "conda-forge/label/dev"],
        ["https://mirror.example/conda-forge"],
    ],
    "owner": ["", "alice", "1001"],
    "group": ["", "lab", "1500"],
    "ssh_user": [
        "alice",
        "a.b-c_d",
        "_svc",
        "root",
        "alice@realm",
        "a.b@AD.EXAMPLE.ORG",
        "alice+x",
    ],
    "ssh_alias": ["dev1", "192.0.2.1", "::1", "jump+dev1", "gw/dev1", "a+b+dev-1.example.org"],
    "key_file": ["./id_hpc", "id_hpc", "../a b/id", "~/.ssh/id", "/k"],
    "ssh_host": [
        "gw",
        "gw.example.org:2222",
        "[::1]:22",
        "::1",
        "192.0.2.1",
        "alice@gw",
        "alice@[::1]:22",
        "alice@ad.example.org@gw:22",
        "jump+gw",
        "xn--bcher-kva.example",
        "a" * 63,
        ".".join(["a" * 49] * 5) + ".abc",
    ],
    "host_name": ["dev-intel10", "::1", "192.0.2.1", "a_b"],
    "port": [1, 8888, 65535, "8888", 22],
    "ssh_port": [22, "2222", 65535],
    "seconds": [1, 60, "60", 86400],
    "queue": ["main", "gpu-a100_2", "main.q@node1"],
    "account": ["ged-intel11", "phys:group.1"],
    "walltime": ["01:00:00", "1:00:00", "00:00:01", "239:00:00"],
    "max_jobs": [1, 512, "512", 100_000],
    "parallel_environment": ["smp", "openmp.8"],
    "address": ["ib0", "10.1.2.3", "fe80::1"],
    "threads": [0, 4, "4", 1024],
    "cpu_seconds": [0, 7200, "7200"],
    "idle_seconds": [0, 5, "7200", 2592000],
    "module_names": [[], ["gcc", "cuda/12.4"], ["GCC/13.2.0-foss-2023b"]],
    "password": [
        "correct horse 1",
        "pä😀 \"'$`\\{{x}}%",
        " leading space is kept",
        "x" * 9 + "abcd",
    ],
    "password_hash": [
        argon2("m=19456,t=2,p=1"),
        argon2("m=10240,t=10,p=8"),
        argon2("m=47104,t=1,p=1"),
        argon2("m=1048576,t=64,p=64"),
    ],
    "profile_name": ["nbserver", "a" * 32, "a-b_c", "0"],
    "session_name": ["nbserver", "a" * 64],
    "certificate_days": [1, 365, 397, "365"],
    "renew_days": [0, 30, "30", 396],
    "certificate_names": [[], ["dev-intel10", "127.0.0.2", "fe80::1", "xn--bcher-kva.example"]],
    "key_type": ["ec", "rsa"],
    "key_size": [256, 384, 2048, 3072, 4096, "3072"],
    "server_options": [
        {},
        {"ServerApp.shutdown_no_activity_timeout": 3600, "MappingKernelManager.cull_interval": 60},
        {"LabApp.collaborative": False, "ContentsManager.x": {"a": [1, 1.5, None, "b"]}},
    ],
    "module_name": ["anaconda", "miniforge/26.3.2-3", "a/b/c", "python3.13"],
    "module_text": ["", "]] os.exit() --[[", "two\nlines", "{{ lookup('pipe','id') }}", "ü"],
}

SAID = {
    "prefix": ["/tmp/x", "/var/tmp/x/y", "/dev/shm/x"],
    "port": [22, "22", 80, 5432],
    "ssh_user": ["root"],
    "password": [
        " a good password",
        "a good password ",
        *(unicodedata.normalize(form, "é good password") for form in ("NFC", "NFD")),
    ],
}
NOT_SAID = {
    "prefix": ["~/anaconda", "/opt/tmp/x"],
    "port": [8888, "8888", 65535],
    "ssh_user": ["alice"],
    "password": ["a good password", "日本 good password"],
}


def cases(table):
    return [
        pytest.param(rule, value, id=f"{rule}-{ascii(value)[:40]}")
        for rule, values in table.items()
        for value in values
    ]


def test_every_rule_has_something_to_refuse_and_something_to_accept():
    assert set(REFUSED) == set(ACCEPTED) == set(RULES)
    assert set(SAID) == set(NOT_SAID) == set(WARNINGS)


@pytest.mark.fault("quotes in a home")
@pytest.mark.parametrize(("rule", "value"), cases(REFUSED))
def test_refuses(rule, value):
    reason = RULES[rule](value)
    assert reason
    assert reason.isprintable()
    assert not reason.endswith(".")


@pytest.mark.parametrize(("rule", "value"), cases(ACCEPTED))
def test_accepts(rule, value):
    assert RULES[rule](value) is None


@pytest.mark.parametrize(("rule", "value"), cases(SAID))
def test_accepts_with_a_remark(rule, value):
    assert RULES[rule](value) is None
    assert warn(rule, value)


@pytest.mark.parametrize(("rule", "value"), cases(NOT_SAID))
def test_accepts_without_a_word(rule, value):
    assert warn(rule, value) is None


@pytest.mark.parametrize(
    ("rule", "value", "reason"),
    [
        ("prefix", "relative/dir", "must be an absolute path or begin with ~/, got 'relative/dir'"),
        ("port", "8_888", "must be a whole number from 1 to 65535, got '8_888'"),
        (
            "resources",
            "mem=16",
            "must be right in each part: mem must be a number with a unit, such "
            "as 64mb or 2gb, got '16'",
        ),
        ("resources", "ppn=4", "must not contain 'ppn': say nbserver_cores instead"),
        ("resources", "machines=2", "must not contain 'machines': say nbserver_cores instead"),
        ("port", True, "must be a whole number from 1 to 65535, got True (a boolean)"),
        ("module_text", 3, "must be text, got 3: write it in quotes"),
        ("prefix", ["~/a", "~/b"], "must be text, got ['~/a', '~/b'] (a list)"),
        ("prefix", {"a": "b"}, "must be text, got {'a': 'b'} (a dictionary)"),
        ("prefix", None, "must be text, got None (nothing)"),
        ("password", "short", "must have at least 12 characters, has 5"),
        ("channels", ["a", "-c"], "item 2 must be a channel's name or https address, got '-c'"),
    ],
)
def test_a_reason_names_the_demand_and_what_was_given(rule, value, reason):
    assert RULES[rule](value) == reason


def test_a_prefix_that_is_too_long_is_told_in_numbers():
    reason = RULES["prefix"]("/" + "a" * 99)
    assert "is 100 bytes long" in reason
    assert "76" in reason
    assert "110" in reason


def test_the_longest_prefix_leaves_room_for_a_pinned_generation():
    prefix = "/" + "a" * (paths.PREFIX_BYTES - 1)
    assert RULES["prefix"](prefix) is None
    assert RULES["generation"](f"{prefix}.d/miniforge-26.3.2-3-848194851a98") is None


@pytest.mark.parametrize("name", ["alice-of-wonderland", "ALICE-of-wonderland"])
def test_a_password_is_not_a_name_that_everybody_knows(name):
    assert secrets.password(name) is None
    assert secrets.password(name, names=["x", "alice-of-wonderland"])


@pytest.mark.parametrize("rule", ["password", "password_hash"])
@given(secret=st.text(min_size=6))
def test_a_secret_never_stands_in_a_reason(rule, secret):
    marked = f"c4n4ry{secret}"
    for given_value in (marked, marked + "\n", [marked], f"argon2:{marked}", f"sha1:{marked}"):
        assert "c4n4ry" not in (RULES[rule](given_value) or "")
        assert "c4n4ry" not in (warn(rule, given_value) or "")


def test_a_secret_in_an_address_never_stands_in_a_reason():
    for address in ("http://u:c4n4ry@host/x.sh", "https://u:c4n4ry@host/", "https://h/?c4n4ry"):
        assert "c4n4ry" not in RULES["installer_url"](address)
        assert "c4n4ry" not in RULES["index_url"](address)
        assert "c4n4ry" not in RULES["channels"]([address])


@pytest.mark.parametrize(
    ("kind", "size", "refused"),
    [("ec", 256, 0), ("rsa", 3072, 0), ("rsa", 1024, 1), ("ec", 2048, 1), ("dsa", 2048, 1)],
)
def test_type_and_size_of_a_key_go_together(kind, size, refused):
    assert bool(server.key(kind, size)) == bool(refused)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=5,
)


@given(value=ANYTHING)
def test_no_rule_fails_over_any_value(value):
    for rule in RULES:
        reason = RULES[rule](value)
        said = reason or warn(rule, value)
        assert said is None or said.isprintable()


@pytest.mark.parametrize("rule", [name for name in ACCEPTED if name in RULES])
def test_a_control_character_is_refused_wherever_it_stands(rule):
    lines = "" if rule == "module_text" else "\n"
    for text in (text for text in ACCEPTED[rule] if isinstance(text, str) and text):
        for control in f"{lines}\r\x1b\x1f\u2028":
            for at in range(len(text) + 1):
                assert RULES[rule](f"{text[:at]}{control}{text[at:]}")


@given(st.text())
def test_what_a_name_rule_accepts_means_nothing_to_a_shell(text):
    for rule in ("prefix", "version", "profile_name", "session_name", "ssh_user", "ssh_host"):
        if RULES[rule](text) is None:
            assert not set(text) & set(" \t\n;&|<>$`\\\"'(){}*?!#%")
            assert not text.startswith("-")


def test_require_names_the_option():
    require("port", "port", 8888)
    with pytest.raises(NotebookError, match=r"^nbserver_port: must be a whole number .* got 0\.$"):
        require("nbserver_port", "port", 0)
