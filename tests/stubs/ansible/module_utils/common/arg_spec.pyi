from collections.abc import Mapping
from typing import Any

from ansible.module_utils.errors import AnsibleValidationErrorMultiple

class ValidationResult:
    errors: AnsibleValidationErrorMultiple
    validated_parameters: dict[str, Any]
    _no_log_values: set[str]

class ArgumentSpecValidator:
    def __init__(self, argument_spec: Mapping[str, Any], **relations: Any) -> None: ...
    def validate(self, parameters: Mapping[str, Any]) -> ValidationResult: ...
