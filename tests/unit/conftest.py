"""Make the checkout importable as ansible_collections.hpcc.notebook, without installing it."""

import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))
sys.path.insert(0, str(CHECKOUT / "roles" / "parallel" / "files" / "cluster_helper"))
