from collections.abc import Mapping
from typing import Any

class _Role:
    _role_path: str
    def get_name(self) -> str: ...

class _Task:
    action: str
    delegate_to: str | None
    args: dict[str, Any]
    check_mode: bool
    remote_user: str | None
    port: int | None
    async_val: int
    register: str | None
    _uuid: str
    _role: _Role | None

class _Shell:
    tmpdir: str
    def quote(self, cmd: str) -> str: ...
    def join_path(self, *parts: str) -> str: ...

class _Connection:
    transport: str
    _shell: _Shell
    def get_option(self, option: str) -> Any: ...

class _PlayContext:
    become: bool
    become_user: str | None
    verbosity: int
    remote_user: str | None

class _Templar:
    available_variables: Mapping[str, Any]
    def template(self, variable: object) -> Any: ...

class ActionBase:
    _task: _Task
    _connection: _Connection
    _play_context: _PlayContext
    _templar: _Templar
    TRANSFERS_FILES: bool
    _VALID_ARGS: frozenset[str]
    _supports_check_mode: bool
    _supports_diff: bool
    def run(
        self, tmp: str | None = ..., task_vars: dict[str, Any] | None = ...
    ) -> dict[str, Any]: ...
    def validate_argument_spec(
        self, argument_spec: Mapping[str, Any], required_together: list[tuple[str, ...]] = ...
    ) -> tuple[object, dict[str, Any]]: ...
    def _execute_module(
        self,
        module_name: str = ...,
        module_args: Mapping[str, Any] = ...,
        task_vars: Mapping[str, Any] | None = ...,
        wrap_async: int = ...,
    ) -> dict[str, Any]: ...
    def _low_level_execute_command(self, cmd: str, *args: Any, **kwargs: Any) -> dict[str, Any]: ...
    def _transfer_file(self, local_path: str, remote_path: str) -> str: ...
    def _compute_environment_string(self) -> str: ...
    def _find_needle(self, dirname: str, needle: str) -> str: ...
