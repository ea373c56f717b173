"""The node has no Python of its own, and the notebook runs all the same."""

PROFILE = "/home/frank/.ipython/profile_nbserver"


def test_the_node_has_no_python_of_its_own(host):
    assert host.run("command -v python3 || command -v python").rc != 0


def test_the_server_answers(host):
    answer = host.check_output(
        "curl -sS --unix-socket /tmp/nbserver-$(id -u)/notebook.sock "
        f"--cacert {PROFILE}/security/notebook.crt https://localhost/login"
    )
    assert "password" in answer
