"""What the victim runs: a page of the browser that is opened on a kernel, and a cell typed there.

typing_person.py PORT CERTIFICATE TOKEN_FILE KERNEL CODE: the code is sent as JupyterLab sends it;
KERNEL may be "new". Prints the kernel, and whether it answered.
"""

import asyncio
import contextlib
import json
import ssl
import sys
import uuid
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect


def message(code):
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "page",
              "username": "", "version": "5.3"}  # fmt: skip
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {},
               "allow_stdin": False, "stop_on_error": True}  # fmt: skip
    return json.dumps({"header": header, "parent_header": {}, "metadata": {}, "buffers": [],
                       "channel": "shell", "content": content})  # fmt: skip


async def main():
    port, certificate, token, kernel, code = sys.argv[1:]
    trust = ssl.create_default_context(cafile=Path(certificate).expanduser())
    asked = {
        "headers": {"Authorization": f"token {Path(token).expanduser().read_text().strip()}"},
        "ssl_options": trust, "request_timeout": 90,
    }  # fmt: skip
    at = f"localhost:{port}/api/kernels"
    if kernel == "new":
        try:
            made = HTTPRequest(f"https://{at}", method="POST", body="{}", **asked)
            kernel = json.loads((await AsyncHTTPClient().fetch(made)).body)["id"]
        except HTTPClientError as refused:
            print(json.dumps({"kernel": "", "answered": False, "refused": f"{refused}"}))
            return
    said = ""
    with contextlib.suppress(Exception):  # whatever it is, it was sent or not
        page = await websocket_connect(HTTPRequest(f"wss://{at}/{kernel}/channels", **asked))
        await page.write_message(message(code))
        with contextlib.suppress(asyncio.TimeoutError):
            while "execute_reply" not in said:
                said += str(await asyncio.wait_for(page.read_message(), 12))
                if said.endswith("None"):
                    break
    print(json.dumps({"kernel": kernel, "answered": "execute_reply" in said}))


asyncio.run(main())
