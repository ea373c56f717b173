class Display:
    columns: int
    verbosity: int
    def display(
        self,
        msg: str,
        color: str | None = ...,
        *,
        stderr: bool = ...,
        screen_only: bool = ...,
        newline: bool = ...,
    ) -> None: ...
    def warning(self, msg: str) -> None: ...
    def prompt_until(self, msg: str, *, private: bool = ...) -> bytes: ...
