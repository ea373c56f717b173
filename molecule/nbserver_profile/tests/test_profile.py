"""The profile that the role makes with its defaults, judged by openssl, find and Jupyter."""

PROFILE = "/home/erin/.ipython/profile_nbserver"
SECURITY = f"{PROFILE}/security"
PYTHON = "/opt/site/anaconda/bin/python"


def test_nothing_of_it_can_be_read_by_others(host):
    assert host.check_output(f"find {PROFILE} -perm /077") == ""


def test_openssl_sees_an_elliptic_key_of_256_bits(host):
    text = host.check_output(f"openssl x509 -in {SECURITY}/notebook.crt -noout -text")
    assert "prime256v1" in text
    assert "TLS Web Server Authentication" in text


def test_key_and_certificate_belong_together(host):
    of_certificate = host.check_output(f"openssl x509 -in {SECURITY}/notebook.crt -noout -pubkey")
    assert of_certificate == host.check_output(f"openssl pkey -in {SECURITY}/notebook.key -pubout")


def test_jupyter_itself_accepts_the_password(host):
    check = (
        "import json, sys; from jupyter_server.auth import passwd_check; "
        f"stored = json.load(open('{PROFILE}/jupyter_server_config.json')); "
        "stored = next(v['hashed_password'] for v in stored.values() if 'hashed_password' in v); "
        "sys.exit(not passwd_check(stored, sys.stdin.readline().strip()))"
    )
    asked = host.run('printf "%%s\\n" %s | %s -c %s', "a walk along the Red Cedar", PYTHON, check)
    assert asked.rc == 0, asked.stderr


def test_jupyter_knows_every_option_of_the_configuration(host):
    shown = host.run(f"JUPYTER_CONFIG_DIR={PROFILE} {PYTHON} -m jupyter server --show-config")
    assert shown.rc == 0
    assert "not recognized" not in shown.stderr
    assert f"{SECURITY}/notebook.crt" in shown.stdout


def test_ipython_knows_the_profile(host):
    assert "nbserver" in host.check_output("/opt/site/anaconda/bin/ipython profile list")
