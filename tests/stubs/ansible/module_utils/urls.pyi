from collections.abc import Mapping
from http.client import HTTPResponse

def open_url(
    url: str,
    *,
    timeout: float = ...,
    headers: Mapping[str, str] | None = ...,
    follow_redirects: str = ...,
) -> HTTPResponse: ...
