"""A function spread over the cluster, through the cluster's own scheduler and ipyparallel.

from cluster_helper.cluster import cluster_view
"""

__version__ = "0.1.0"
