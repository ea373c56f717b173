"""Make the checkout importable as ansible_collections.hpcc.notebook, without installing it."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))
sys.path.insert(0, str(CHECKOUT / "roles" / "parallel" / "files" / "cluster_helper"))

# Others may use the machine at the same time: a slow example is no wrong one.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
