"""Every name in a directory that others may write to which a stranger can know beforehand. Pure.

`test_names.py` holds this against the exceptions of `shared_names.py`, which reads the product's
sources: a name that the product takes and that nobody attacks fails there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """A name, as the shell spells it: $(id -u) is the victim, $$ whatever process comes next."""

    called: str
    path: str


LOCAL = "the node-local directory"
LOCAL_NAME = Name(LOCAL, "/tmp/nbserver-$(id -u)")
# The product has dropped these; they stay attacked.
OLD_NAMES = (
    Name("the doctor's old trial", "/tmp/.nbserver-try.$$"),
    Name("the doctor's old program", "/tmp/.nbserver-try.$$.sh"),
)
NAMES = (LOCAL_NAME, *OLD_NAMES)

# These nobody knows beforehand, but a neighbour sees each once it is used, and it is used again.
SEEN = "a name from the profile's secret"
SEEN_PATTERN = "/tmp/nb-*"

RANDOM, UNUSED = "nobody can know it beforehand", "refused as a place, never used"
KERNELS = "the kernel's own, which nobody can take"
# What each place in the sources stands for: one of the names above, or why there is none to attack.
STANDS_FOR = {
    ("plugins/module_utils/_job/entrance.py", "f'/proc/{os.getpid()}/root'"): KERNELS,
    ("plugins/module_utils/_server/layout.py", "/tmp/"): LOCAL,
    ("plugins/module_utils/_server/layout.py", "/tmp/nb-"): SEEN,
    ("plugins/plugin_utils/_node/scripts/doctor/look.sh", "/tmp/$PROFILE-$(id -u)"): LOCAL,
    ("plugins/plugin_utils/_node/scripts/doctor/look.sh", "$TMPDIR/."): RANDOM,
    ("plugins/module_utils/_profile/kernel_trial.py", "tempfile.gettempdir"): RANDOM,
    ("plugins/plugin_utils/_ssh/askpass.py", "/tmp"): RANDOM,
    ("plugins/module_utils/_profile/kernel_trial.py", "/tmp"): RANDOM,
    ("plugins/module_utils/_rules/paths.py", "/tmp"): UNUSED,
    ("plugins/module_utils/_rules/paths.py", "/var/tmp"): UNUSED,
    ("plugins/module_utils/_rules/paths.py", "/dev/shm"): UNUSED,
}
