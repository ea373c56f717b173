# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action whose module asks for a certificate, which is signed here: the key stays here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._options import notebook_certificate
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    certificate_resource,
    crypto,
    trust,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.certificate import Wanted
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.node_module import NodeModule
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed
from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust import kept_authority
from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust.kept_authority import Kept

_TRIES = 3  # another node of the same home may be set up at the same time


class SigningNodeModule(NodeModule):
    """Runs its module once, and again with what was signed when that is needed."""

    PART: ClassVar[str] = ""  # the part of the answer that is about the certificate

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Sign what the module asks for."""
        if not boolean(arguments.get("authority_kept", False), strict=False):
            return super().on_node(arguments, task_vars)
        now = datetime.now(UTC).replace(microsecond=0)
        try:
            wanted = _wanted(arguments)
            kept = kept_authority.kept(wanted, now, checking=bool(self._task.check_mode))
            self._tell(kept)
            given = {**arguments, "authority_certificate": kept.issuer.certificate.decode()}
            return self._signed(given, task_vars, kept, wanted)
        except NotebookError as error:
            return {"failed": True, "changed": False, "msg": typed(str(error))}

    def _signed(
        self, given: dict[str, Any], task_vars: dict[str, Any] | None, kept: Kept, wanted: Wanted
    ) -> dict[str, Any]:
        first = answer = super().on_node(given, task_vars)
        now = datetime.now(UTC).replace(microsecond=0)
        for _try in range(_TRIES):
            request = self._part(answer).get("request")
            if answer.get("failed") or not request:
                return self._together(first, answer)
            chain = crypto.sign_request(kept.issuer, request.encode(), wanted, now)
            answer = super().on_node({**given, "signed": chain.decode()}, task_vars)
        what = "other runs replace the key that waits to be signed"
        raise NotebookError(what, "the certificate", "Run setup once, when they have ended")

    def _part(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        return dict(answer.get(self.PART) or {}) if self.PART else dict(answer)

    def _together(self, first: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
        """What all runs did: why is known to the first, how it is now to the last."""
        if first is last or last.get("failed"):
            return last
        before, now = self._part(first), self._part(last)
        before.pop("request", None)
        part = {**now, **{name: before[name] for name in ("changed", "reason")}}
        return {**first, self.PART: part} if self.PART else {**before, **part}

    def _tell(self, kept: Kept) -> None:
        if kept.reason and not self._task.check_mode:
            terminal.say(*trust.kept_lines(str(kept.path)))


def _wanted(arguments: Mapping[str, Any]) -> Wanted:
    """What the certificate has to be like, decided as on the node."""
    spec = notebook_certificate.ARGUMENTS
    given = {name: arguments[name] for name in spec if name in arguments}
    checked = ArgumentSpecValidator(spec).validate(given)
    if checked.errors.errors:
        raise NotebookError(str(checked.errors.msg).rstrip("."), "the certificate")
    return certificate_resource.wanted({**checked.validated_parameters, "authority_kept": False})
