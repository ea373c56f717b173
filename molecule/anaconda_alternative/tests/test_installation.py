"""The role with another prefix, other packages, and conda to install them."""

PREFIX = "/home/carol/apps/python-for-the-lab"


def test_the_distribution_stands_under_the_chosen_prefix(host):
    assert host.check_output(f"readlink {PREFIX}").startswith("python-for-the-lab.d/")


def test_only_the_packages_asked_for_were_added(host):
    assert host.run(f"{PREFIX}/bin/python -c 'import ipykernel, cryptography'").rc == 0
    assert host.run(f"{PREFIX}/bin/python -c 'import jupyterlab'").rc != 0


def test_nothing_stands_under_the_default_prefix(host):
    assert not host.file("/home/carol/anaconda").exists
