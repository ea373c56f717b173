"""The profile with everything set to something else."""

PROFILE = "/home/erin/.ipython/profile_second"
CERTIFICATE = f"{PROFILE}/security/notebook.crt"
PYTHON = "/opt/site/anaconda/bin/python"


def test_openssl_sees_the_key_and_the_names_that_were_asked_for(host):
    text = host.check_output(f"openssl x509 -in {CERTIFICATE} -noout -text")
    assert "Public-Key: (2048 bit)" in text
    assert "DNS:dev1.example.org" in text
    assert "IP Address:192.0.2.7" in text


def test_the_certificate_lasts_as_long_as_asked(host):
    day = 86400
    check = f"openssl x509 -in {CERTIFICATE} -noout -checkend"
    assert host.run(f"{check} {99 * day}").rc == 0
    assert host.run(f"{check} {101 * day}").rc == 1


def test_jupyter_reads_the_options_as_they_were_written(host):
    shown = host.check_output(
        f"JUPYTER_CONFIG_DIR={PROFILE} {PYTHON} -m jupyter server --show-config-json"
    )
    assert "it's" in shown
    assert "3600" in shown
