# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect this computer with a running server, and stay until Ctrl-C."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import trust
from ansible_collections.hpcc.notebook.plugins.module_utils._server.announcement import (
    address,
    announcement,
    closed,
    connected,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.discovery import NoServer
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import hops
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.connection import (
    Connection,
    Elsewhere,
    Lost,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.reach import (
    Reach,
    until_ctrl_c,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.reaching_action import (
    ReachingAction,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.reconnection import Reconnector
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import browser, terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.hosts import Hosts
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.printed_tunnel import (
    PrintedTunnel,
    printed,
)

if TYPE_CHECKING:
    from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust.trusting import Done


class ActionModule(ReachingAction):
    """Find the server, open the tunnel, and stay."""

    MORE_ARGUMENTS: ClassVar = {
        "state": {"type": "str", "choices": ["connected", "found"], "default": "connected"},
        "open_browser": {"type": "bool", "default": False},
        "required": {"type": "bool", "default": True},
        "trust": {"type": "raw", "default": trust.UNTOUCHED},
        "names": {"type": "list", "elements": "str", "default": []},
    }
    MORE_RULES: ClassVar = {"trust": "trust", "names": "certificate_names"}

    def work(self, reached: Reach, hosts: Hosts, given: dict[str, Any]) -> dict[str, Any]:
        self._hosts, self._given = hosts, given
        self._changed = self._take_trust_back(reached)
        try:
            return self._led(reached)
        except NoServer as missing:
            if given["required"]:
                raise
            reached.person.tell(f"{missing.where}: {missing.what}.")
            gone = hosts.named(missing.where) not in (None, hosts.here)
            return {"changed": False, "state": "stopped", "host": missing.where, "elsewhere": gone}

    def _led(self, reached: Reach) -> dict[str, Any]:
        if self._given["form"] == "two_hop":
            return self._by_hand(reached)
        only_find = self._given["state"] == "found" or self._task.check_mode
        try:
            connection, server = self._reached(reached, find_only=only_find)
        except Lost as lost:
            self._advise(reached, lost)
            raise
        if only_find:
            return {"changed": False, **server}
        return self._stay(reached, connection, server)

    def _reached(self, reached: Reach, find_only: bool) -> tuple[Connection, dict[str, Any]]:
        """The connection to the node of the server, which may be another than the one asked for."""
        attempt = Connection.find if find_only else Connection.open
        first = self._prepared(reached, self._hosts.here)
        try:
            return first, attempt(first)
        except Elsewhere as elsewhere:
            host = str(elsewhere.server.get("relay") or elsewhere.server["host"])
            other, node = self._hosts.named(host), ""
            if other is None and elsewhere.server.get("job"):
                other, node = self._hosts.here, host  # no inventory names a compute node
            elif other in (None, self._hosts.here):  # one name for several nodes
                form = self._given["form"]
                self._tell_command(reached, elsewhere.server, form, by_own_name=True)
                raise
            reached.person.tell(f"{elsewhere}: going there.")
        first.session.close()
        second = self._prepared(reached, other, node)
        return second, attempt(second)

    def _prepared(self, reached: Reach, host: str, node: str = "") -> Connection:
        found = self._hosts.way(host, node=node)
        standing = "" if node else self._hosts.login_of_ansible(host)
        return Connection(
            reached.session(found.words(), found.program, standing),
            self._given["profile"],
            self._given["local_port"],
            reached.person.refused,
            ansibles=self._hosts.control_directory(host),
        )

    def _stay(
        self, reached: Reach, connection: Connection, server: dict[str, Any]
    ) -> dict[str, Any]:
        tell = reached.person.tell
        for line in connected(server, self._given["local_port"]):
            tell(line)
        self.closed = closed(server)
        self._changed |= self._trust(reached, connection)
        if self._given["open_browser"] and not browser.opened(address(self._given["local_port"])):
            tell("No browser could be opened here: open the address yourself.")

        def wanted() -> bool:
            return terminal.ansible_lives() and not reached.closing.is_set()

        with until_ctrl_c(reached, self.closed):
            Reconnector(connection, tell, wanted).keep()
        return {"changed": self._changed}

    def _take_trust_back(self, reached: Reach) -> bool:
        """At first, and whether a server runs or not; whether that is new."""
        wish = self._given["trust"]
        if wish == trust.UNTOUCHED or boolean(wish) or self._task.check_mode:
            return False
        from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust import trusting

        return self._told(reached, trusting.taken_back())

    def _trust(self, reached: Reach, connection: Connection) -> bool:
        """Have the browsers of this computer trust the authority of the server that was reached."""
        wish = self._given["trust"]
        if wish == trust.UNTOUCHED or not boolean(wish):
            return False
        # Few ask for it, and everybody else would wait for its cryptography.
        from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust import (
            kept_authority,
            trusting,
        )

        prints = [each.sha256 for each in connection.trusts]
        shown = trusting.Shown(connection.chain, prints, self._given["names"])
        place = kept_authority.place_of_host(self._hosts.here, self._given["profile"])
        return self._told(reached, trusting.given(shown, place))

    def _told(self, reached: Reach, done: Done) -> bool:
        reached.person.tell(*done.lines)
        return done.changed

    def _by_hand(self, reached: Reach) -> dict[str, Any]:
        """Two logins, one behind the other, need a terminal each: the person types that."""
        server = self._seen_from_gateway(reached)
        self._tell_command(reached, server, "two_hop")
        return {"changed": False, **server}

    def _advise(self, reached: Reach, lost: Lost) -> None:
        """Print the form of the tunnel that works, where another does."""
        if lost.fault.form == "relay":
            self._tell_command(reached, self._seen_from_gateway(reached), "relay")
        elif lost.fault.form == "tcp" and lost.server:
            reached.person.tell("When it serves over TCP, the tunnel will be")
            over_tcp = {**lost.server, "transport": "tcp"}
            reached.person.tell(f"    {self._command(over_tcp, self._given['form']).command}")

    def _seen_from_gateway(self, reached: Reach) -> dict[str, Any]:
        """The newest server, by the records in the home directory that the gateway shares."""
        found = self._hosts.way(self._hosts.here, "relay")
        first = hops.before(found.gateway, found.node) if found.gateway else found.node
        session = reached.session(first.words(), found.program)
        on_gateway = Connection(session, self._given["profile"], 0, reached.person.refused)
        try:
            return on_gateway.find()
        except Elsewhere as elsewhere:
            return dict(elsewhere.server)
        finally:
            session.close()

    def _tell_command(
        self, reached: Reach, server: Mapping[str, Any], form: str, *, by_own_name: bool = False
    ) -> None:
        shown = self._command(server, form, by_own_name=by_own_name)
        port = self._given["local_port"]
        reached.person.tell(*announcement(server, shown.command, port, remarks=shown.remarks))

    def _command(
        self, server: Mapping[str, Any], form: str, *, by_own_name: bool = False
    ) -> PrintedTunnel:
        """As the inventory reaches the node of a server, or by the name that it gives itself."""
        name = str(server.get("relay") or server["host"])
        known = self._hosts.named(name)
        dev = self._hosts.variables(known or self._hosts.here)
        if by_own_name or known is None:
            dev["ansible_host"] = name
        port = self._given["local_port"]
        return printed(server, dev, self._hosts.gateway_variables(), port, form)
