"""Serves as a notebook server does: with each request it imports anew and starts another Python."""

from __future__ import annotations

import http.server
import importlib
import subprocess
import sys

KERNEL = "import parcel, sys; print(sys.prefix, parcel.VALUE)"


class Handler(http.server.BaseHTTPRequestHandler):
    """Says which generation everything came from; 500 when something did not."""

    def do_GET(self) -> None:
        try:
            said = (200, self._work())
        except (ImportError, OSError, subprocess.CalledProcessError) as error:
            said = (500, str(error))
        self.send_response(said[0])
        self.end_headers()
        self.wfile.write(said[1].encode())

    def _work(self) -> str:
        sys.modules.pop("parcel", None)
        importlib.invalidate_caches()
        place = importlib.import_module("parcel").__file__ or ""
        kernel = subprocess.check_output([sys.executable, "-c", KERNEL], text=True)
        return f"{place}\n{kernel}"

    def log_message(self, *_parts: object) -> None:
        """Its standard output is for the port."""


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
