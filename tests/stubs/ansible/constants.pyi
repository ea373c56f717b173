from collections.abc import Mapping

class _Configuration:
    def get_config_value(
        self, config: str, *, plugin_type: str, plugin_name: str, variables: Mapping[str, object]
    ) -> object: ...
    def get_config_value_and_origin(
        self,
        config: str,
        *,
        plugin_type: str,
        plugin_name: str,
        variables: Mapping[str, object],
        keys: Mapping[str, object],
    ) -> tuple[object, str]: ...

config: _Configuration
DEFAULT_KEEP_REMOTE_FILES: bool
DEFAULT_LOCAL_TMP: str
DEFAULT_HOST_LIST: list[str]
COLOR_CHANGED: str
COLOR_ERROR: str
COLOR_HIGHLIGHT: str
COLOR_OK: str
COLOR_UNREACHABLE: str
