from collections.abc import Iterable
from typing import Any

def remove_values(value: Any, no_log_strings: Iterable[str]) -> Any: ...
