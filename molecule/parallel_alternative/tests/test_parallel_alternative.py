"""The role with everything set to something else: each default reaches the job script."""

PYTHON = "/home/heidi/apps/python/bin/python"
SCRIPT = "from cluster_helper.cluster import job_script; print(job_script({}))"


def script(host, parameters):
    return host.run(f"{PYTHON} -c %s", SCRIPT.format(parameters))


def test_the_defaults_of_the_site_are_in_the_script(host):
    text = script(host, "num_jobs=2").stdout
    for directive in ("-q main", "-A ged-intel11", "-l walltime=00:30:00", "-t 1-2"):
        assert f"#PBS {directive}\n" in text


def test_more_jobs_than_the_site_allows_are_refused_in_one_line(host):
    done = script(host, "num_jobs=3")
    assert done.rc == 1
    assert "num_jobs must be at most 2 here, got 3" in done.stderr.splitlines()[-1]


def test_the_profile_has_its_name_and_python_reads_it(host):
    path = "/home/heidi/.ipython/profile_engines/ipcluster_config.py"
    assert host.run(f"{PYTHON} -m py_compile {path}").rc == 0
