"""What the software must stand up to. A test that shows it bears the mark of the threat.

The numbers have gaps on purpose.
"""

from __future__ import annotations

THREATS = {
    1: "another user of the gateway holds the tunnel's port first",
    3: "another user of the node holds the server's port first",
    4: "another user of the node reads or feeds a kernel",
    5: "the private key can be opened for a moment",
    6: "the password's hash can be read",
    7: "the password stands in a process list during setup",
    8: "the token stands in a command line, an address or a log",
    9: "somebody guesses passwords online",
    10: "somebody who has the hash guesses offline",
    11: "a stolen cookie outlives the password",
    12: "an installer is changed on its way",
    13: "an installer is swapped after it was checked",
    14: "somebody planted our directory in /tmp",
    16: "root of the gateway uses the agent",
    17: "somebody stands between gateway and node",
    18: "a web page of somebody else talks to the server",
    19: "known vulnerabilities of what is installed",
    20: "a damaged configuration opens the server",
    21: "a stolen authority signs any site",
    22: "people get used to clicking warnings away",
    24: "somebody on the cluster's network joins the engines",
    25: "a value becomes code in a file that is rendered",
    26: "what a node reports is evaluated on the controller",
    27: "secrets in logs, diffs and what callbacks are told",
    28: "an upgrade or a removal takes files of the person along",
    30: "a forgotten server burdens a login node",
    31: "the module breaks ssh, git and itself",
    32: "somebody planted a program, a link or a socket where a playbook looks",
    33: "somebody planted an installation at a shared prefix",
    34: "somebody's words reach the terminal or are taken for an answer",
    35: "somebody planted modules where a script with cluster_view starts",
    36: "somebody recreates a swept runtime directory",
    37: "another user of the person's computer enters what a playbook opens",
}
