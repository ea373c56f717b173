class AnsibleValidationError(Exception):
    msg: str

class AnsibleValidationErrorMultiple(AnsibleValidationError):
    errors: list[AnsibleValidationError]

class UnsupportedError(AnsibleValidationError): ...
