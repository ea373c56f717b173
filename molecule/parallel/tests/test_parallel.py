"""The role with its defaults: the package works, and the profile starts engines on Slurm."""

HOME = "/home/grace"
PYTHON = f"{HOME}/anaconda/bin/python"
ASK = """
import ipyparallel, socket
client = ipyparallel.Client(profile="cluster", timeout=60)
client.wait_for_engines(1, timeout=100)
print(client[:].apply_sync(socket.gethostname))
"""
EMPTY = """
for tick in $(seq 300); do
    [ -z "$(squeue --me --noheader --states=PENDING,RUNNING)" ] && exit
    sleep 0.2
done
exit 1
"""
LINES = """
from cluster_helper.cluster import cluster_view

def f(n):
    import socket
    return n * 2, socket.gethostname()

with cluster_view() as view:
    print(view.map(f, range(3)))
"""


def test_four_lines_are_enough(host):
    done = host.run(f"{PYTHON} -c %s", LINES)
    assert done.rc == 0, done.stderr
    assert done.stdout.startswith("[(0, 'c")
    assert "through slurm, walltime 01:00:00, the default" in done.stderr
    assert "1 of 1 engines" in done.stderr


def test_the_package_belongs_to_the_distribution_and_pip_knows_it(host):
    assert "hpcc-cluster-helper" in host.check_output(f"{PYTHON} -m pip list")
    assert "No broken requirements" in host.check_output(f"{PYTHON} -m pip check")


def test_the_profile_starts_engines_on_the_scheduler_and_stops_them(host):
    start = f"{HOME}/anaconda/bin/ipcluster start --profile=cluster -n 1 --daemonize"
    assert host.run(f"{start} >/dev/null 2>&1 </dev/null").rc == 0
    answer = host.run(f"{PYTHON} -c %s", ASK)
    assert "['c" in answer.stdout, answer.stderr
    keys = "~/.ipython/profile_cluster/security -name 'ipcontroller-*'"
    assert host.check_output(f"find {keys} -type f") != ""
    assert host.check_output(f"find {keys} -perm /077") == ""
    assert host.run(f"{HOME}/anaconda/bin/ipcluster stop --profile=cluster").rc == 0
    assert host.run(EMPTY).rc == 0


def test_the_defaults_can_be_read_by_all_who_share_the_distribution(host):
    assert host.file(f"{HOME}/anaconda/etc/cluster_helper.ini").mode == 0o644
    assert host.file(f"{HOME}/.ipython/profile_cluster").mode == 0o700
    assert host.file(f"{HOME}/.ipython/profile_cluster/ipcluster_config.py").mode == 0o600
