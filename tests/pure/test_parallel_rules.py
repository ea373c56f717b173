"""Role `parallel` accepts what the package that it installs accepts."""

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import RULES
from cluster_helper import rules, units
from cluster_helper.errors import ClusterError

SAME = {
    **{name: name for name in ("queue", "account", "address")},
    "profile": "profile_name",
    "parallel environment": "parallel_environment",
}


@pytest.mark.parametrize("kind", SAME)
def test_the_role_accepts_the_same_names_as_the_package(kind):
    values = ["main", "gpu-a100_2", "-x", "ü", "a:b", "a.b", "a@b", "a+b", "$(id)"]
    for value in [*values, "_a", *("a" * length for length in (32, 33, 64, 65)), "x y", "", "a\nb"]:
        try:
            accepted = bool(rules.name(kind, value))
        except ClusterError:
            accepted = False
        assert accepted == (RULES[SAME[kind]](value) is None), value


@pytest.mark.parametrize("value", ["01:00:00", "0:00:01", "00:00:00", "1:60:00", "1", "0000:00:00"])
def test_the_role_accepts_the_same_walltimes_as_the_package(value):
    try:
        accepted = bool(units.walltime(value))
    except ClusterError:
        accepted = False
    assert accepted == (RULES["walltime"](value) is None)
