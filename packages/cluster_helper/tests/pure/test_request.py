"""What cluster_view is asked for is refused in one line, or understood. Pure."""

import inspect
import math

import pytest
from cluster_helper import request, resources, units
from cluster_helper.errors import ClusterError
from cluster_helper.resources import Resources
from cluster_helper.site import Site, load
from hypothesis import given, settings
from hypothesis import strategies as st

RECIPE = "walltime=01:00:00;account=ged-intel11;mem=64mb"
PARAMETERS = {
    "scheduler": "torque", "queue": "main", "num_jobs": 5, "cores_per_job": 1, "profile": None,
    "start_wait": 16, "extra_params": {"resources": RECIPE}, "retries": None, "direct": False,
    "wait_for_all_engines": False,
}  # fmt: skip


def read(site=None, **changed):
    return request.read(site or Site(), **{**PARAMETERS, **changed})


def with_resources(text, scheduler="torque"):
    return read(scheduler=scheduler, extra_params={"resources": text}).resources


@pytest.mark.fault("94 the recipe's resources")
def test_the_recipes_own_line_is_understood():
    wanted = read()
    assert wanted.resources == Resources(walltime=3600, mem=64, account="ged-intel11")
    assert (wanted.scheduler, wanted.queue, wanted.count, wanted.cores) == ("torque", "main", 5, 1)
    assert (wanted.patience, wanted.retries, wanted.own_walltime) == (960, 0, True)


def test_parameters_keep_their_order_and_defaults_of_ipython_cluster_helper():
    from cluster_helper.cluster import ClusterView, cluster_view, job_script

    given_ = inspect.signature(ClusterView).parameters
    assert inspect.signature(cluster_view).parameters == given_
    assert inspect.signature(job_script).parameters == given_
    assert list(given_) == list(PARAMETERS)
    defaults = {n: p.default for n, p in given_.items()}
    assert defaults["start_wait"] == 16
    assert defaults["cores_per_job"] == 1
    assert defaults["extra_params"] is defaults["retries"] is defaults["profile"] is None


@pytest.mark.fault("98 untidy resources")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mem = 64mb", {"mem": 64}),
        ("WALLTIME=1:00:00", {"walltime": 3600}),
        (["walltime=00:00:30", "acct=x"], {"walltime": 30, "account": "x"}),
        ("a=x;timelimit=02:00:00", {"walltime": 7200, "account": "x"}),
        ("h_rt=100:00:00", {"walltime": 360000}),
        ("mem=1g;gpus=2", {"mem": 1024, "gpus": 2}),
        ("mem=100kb", {"mem": 1}),
        ("t=02:00:00", {"walltime": 7200}),
        ("", {}),
        (" ; ;", {}),
        ("walltime=01:00:00;", {"walltime": 3600}),
        (
            ["walltime=01:00:00;mem=2gb", "", "acct=x;"],
            {"walltime": 3600, "mem": 2048, "account": "x"},
        ),
        ("mem=2TB", {"mem": 2 * 1024 * 1024}),
        (None, {}),
        ([], {}),
        ([None, "", " ;", "mem=1gb"], {"mem": 1024}),
    ],
)
def test_a_resource_is_normalised(text, expected):
    assert resources.parse(text) == Resources(**expected)


def test_days_are_a_walltime_under_slurm_only():
    assert with_resources("walltime=1-00:00:00", "slurm").walltime == 86400
    with pytest.raises(ClusterError, match="walltime must be HH:MM:SS"):
        with_resources("walltime=1-00:00:00")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("4-00:00", 4 * 86400), ("1-12", 129600), ("2-01:30", 178200), ("0-00:30", 1800)],
)
def test_slurms_short_forms_of_days_are_understood_under_slurm(text, seconds):
    assert with_resources(f"timelimit={text}", "slurm").walltime == seconds
    with pytest.raises(ClusterError, match="walltime must be HH:MM:SS"):
        with_resources(f"timelimit={text}")


def test_a_time_that_may_mean_two_things_is_refused_with_both():
    with pytest.raises(ClusterError, match="got '15:59': say 15:59:00 or 00:15:59"):
        with_resources("walltime=15:59")


@pytest.mark.parametrize("blank", [None, "", "  "])
@pytest.mark.parametrize(
    "name", ["resources", "mem", "tag", "run_local", "local_controller", "specialization"]
)
def test_what_is_none_or_blank_was_left_out(name, blank):
    assert read(extra_params={name: blank}) == read(extra_params={}) == read(extra_params=None)


def test_a_tag_may_be_as_long_as_the_ones_of_ipython_cluster_helpers_callers():
    assert read(extra_params={"tag": "bcbio_prepare"}).name == "bcbio_prepare-e"


def test_a_profile_may_be_named_by_its_directory(tmp_path):
    from cluster_helper.plan import Plan

    wanted = read(profile=str(tmp_path), extra_params={"run_local": True})
    assert Plan(wanted, Site()).profile == str(tmp_path)
    missing = read(profile=f"{tmp_path}/nosuch", extra_params={"run_local": True})
    with pytest.raises(ClusterError, match=r"nosuch' does not exist: .* --profile-dir="):
        Plan(missing, Site())


@pytest.mark.fault("95", "97", "101", "104", "106")
@pytest.mark.parametrize(
    "text",
    [
        "walltime=01:00:00\n#PBS -M evil@x\nrm -rf $HOME", ";=;", "=", "=5", "mem", "mem=",
        "account=", "foo=bar", "walltime=1", "walltime=60", "walltime=99:99:99",
        "walltime=-1:00:00", "walltime=00:00:00", "walltime=25:61:00", "walltime=\u0661:00:00",
        "mem=64", "mem=64 mb", "mem=64MiBs", "mem=-1gb", "mem=1e9tb", "mem=0mb",
        "account=ged intel", "account=a;b", "account=a\nb", "account=$(id)", "account=-x",
        "mem=1gb;mem=2gb", "memory=1gb;mem=2gb", "queue=main", "nodes=2:ppn=4", "gpus=0",
        "gpus=two", "walltime=1:00:00,mem=1gb", 7, {"mem": "1gb"}, [1], "qos=a b", "feature=a&b",
    ],
)  # fmt: skip
def test_a_bad_resource_is_refused_by_name_on_one_line(text):
    with pytest.raises(ClusterError) as caught:
        with_resources(text)
    assert "\n" not in str(caught.value)
    assert any(
        word in str(caught.value) for word in ("resources", "walltime", "mem", "account", "gpus",
                                               "qos", "feature")
    )  # fmt: skip


@pytest.mark.fault("100 unknown resource")
@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("waltime=01:00:00", "did you mean walltime"),
        ("nodes=4", "num_jobs"),
        ("ppn=4", "cores_per_job"),
        ("partition=x", "queue="),
        ("conmem=4", "the controller runs beside you"),
        ("minconcores=2", "leave it out"),
        ("mincores=2", "cores_per_job"),
        ("machines=2", "num_jobs"),
    ],
)
def test_an_unknown_resource_is_refused_with_what_to_say_instead(text, hint):
    with pytest.raises(ClusterError, match=hint):
        with_resources(text)


@pytest.mark.fault("92 bad queue")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("queue", "main;rm -rf ~"), ("queue", "main\n#PBS -A x"), ("queue", "$(id)"),
        ("queue", ""), ("queue", "-main"), ("queue", 5), ("queue", "ü"), ("queue", "main "),
        ("num_jobs", 0), ("num_jobs", -1), ("num_jobs", True), ("num_jobs", "5"),
        ("num_jobs", 2.0), ("num_jobs", 10**9), ("cores_per_job", 0), ("cores_per_job", None),
        ("start_wait", 0), ("start_wait", "16"), ("start_wait", math.nan),
        ("start_wait", math.inf), ("retries", -1), ("retries", "2"), ("direct", "yes"),
        ("wait_for_all_engines", 1), ("profile", "../x"), ("profile", ""), ("scheduler", ""),
        ("scheduler", "slurm;id"), ("extra_params", "mem=1"), ("extra_params", {"memory": 1}),
        ("extra_params", {"tag": "a b"}), ("extra_params", {"tag": "a\n#PBS -V"}),
        ("extra_params", {"mem": "4gb"}), ("extra_params", {"mem": -1}),
        ("extra_params", {"mem": math.nan}), ("extra_params", {"mem": True}),
        ("extra_params", {"run_local": "yes"}), ("extra_params", {"local_controller": False}),
        ("extra_params", {"mem": 1, "resources": "mem=1gb"}),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_refused_by_name(name, value):
    with pytest.raises(ClusterError) as caught:
        read(**{name: value})
    named = next(iter(value)) if isinstance(value, dict) else name
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        {"queue": "a b"},
        {"num_jobs": 10**9},
        {"extra_params": {"resources": "mem=64"}},
        {"scheduler": "slurm", "extra_params": {"resources": "walltime=banana"}},
        {"scheduler": "Slurm"},
        {"profile": "nosuch", "extra_params": {"run_local": True}},
    ],
)
def test_nothing_is_made_or_started_for_a_bad_call(bad, monkeypatch, tmp_path, capsys):
    from cluster_helper.cluster import cluster_view

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    with pytest.raises(ClusterError), cluster_view(**bad):
        pass
    assert not (tmp_path / "ipython" / "cluster_helper").exists()
    assert capsys.readouterr() == ("", "")


def test_a_misspelt_scheduler_is_refused_with_the_one_that_was_meant():
    from cluster_helper.schedulers import choose

    with pytest.raises(ClusterError, match=r"got 'Slurm', did you mean slurm\?"):
        choose(read(scheduler="Slurm").scheduler, lambda _program: None)


@pytest.mark.fault("91 good queue")
@pytest.mark.parametrize("queue", ["main", "gpu-a100_2"])
def test_a_good_queue_is_taken_as_it_is(queue):
    assert read(queue=queue).queue == queue


@pytest.mark.fault("103 no walltime")
def test_a_missing_walltime_is_an_hour_and_known_to_be_a_default():
    wanted = read(extra_params=None)
    assert (wanted.resources.walltime, wanted.own_walltime) == (3600, False)


def test_memory_can_be_gigabytes_beside_the_resources():
    assert read(extra_params={"mem": 2}).resources.mem == 2048
    assert read(extra_params={"mem": "0.5"}).resources.mem == 512


def site_file(path, text):
    file = path / "cluster_helper.ini"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_sites_defaults_hold_until_a_call_says_otherwise(tmp_path):
    text = "[cluster]\nscheduler = slurm\nqueue = short\naccount = lab\nwalltime = 2-00:00:00\n"
    site = load([site_file(tmp_path, text)])
    wanted = read(site, scheduler=None, queue=None, extra_params=None)
    assert (wanted.scheduler, wanted.queue) == ("slurm", "short")
    assert wanted.resources == Resources(walltime=172800, account="lab")
    assert read(site).resources.account == "ged-intel11"


def test_no_more_jobs_than_the_site_allows(tmp_path):
    site = load([site_file(tmp_path, "[cluster]\nmax_jobs = 512\n")])
    assert read(site, num_jobs=512).count == 512
    with pytest.raises(ClusterError, match="num_jobs must be at most 512 here, got 513"):
        read(site, num_jobs=513)


@pytest.mark.parametrize(
    "text",
    ["queue = x", "[cluster]\nquue = x", "[cluster]\nqueue = a b", "[cluster]\nmax_jobs = many",
     "[cluster]\nwalltime = 5", "[other]\nqueue = x", "[cluster]\nqueue = $(id)", "\udcff"],
)  # fmt: skip
def test_a_damaged_file_of_defaults_is_named(tmp_path, text):
    file = tmp_path / "cluster_helper.ini"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ClusterError, match=f"{file} cannot be used"):
        load([file])


def test_a_file_of_defaults_that_nobody_can_look_at_is_named_and_one_that_is_none_is_not(tmp_path):
    with pytest.raises(ClusterError, match="cannot be used"):
        load([tmp_path / ("x" * 300)])
    (tmp_path / "file").touch()
    assert load([tmp_path, tmp_path / "none", tmp_path / "file" / "below"]) == Site()


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[cluster]\n"])
def test_a_file_of_defaults_with_nothing_in_it_says_nothing(tmp_path, text):
    assert load([site_file(tmp_path, text)]) == Site()


def test_what_is_wrong_with_the_sections_is_said(tmp_path):
    with pytest.raises(ClusterError, match=r"it has no section \[cluster\]; correct or remove it"):
        load([site_file(tmp_path, "[other]\nqueue = x\n")])


ANYTHING = st.one_of(
    st.text(max_size=40), st.integers(), st.floats(), st.none(), st.booleans(),
    st.lists(st.text(max_size=10), max_size=3),
    st.dictionaries(st.sampled_from(["resources", "mem", "tag", "x"]), st.text(max_size=30)),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(PARAMETERS)), ANYTHING)
def test_whatever_comes_is_understood_or_refused_on_one_line(name, value):
    try:
        understood, said = read(**{name: value}), ""
    except ClusterError as error:
        understood, said = None, str(error)
    assert understood or len(said.splitlines()) == 1


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 9_999 * 3600))
def test_a_clock_is_read_as_it_was_written(seconds):
    assert units.walltime(units.clock(seconds)) == seconds
