# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees before the first cell: the login page, and what JupyterLab begins with. Pure.

Jupyter's own page speaks of tokens, which nobody here has. Jupyter's template engine escapes what
it fills in.
"""

from __future__ import annotations

import json
import re

from ansible_collections.hpcc.notebook.plugins.module_utils._common import commands

TEMPLATES = "templates"  # where Jupyter looks for pages before it takes its own
LOGIN = f"{TEMPLATES}/login.html"
# What JupyterLab and Notebook 7 begin with. A person's own settings win, and so does a person's
# own labconfig/default_setting_overrides.json.
DEFAULTS = "labconfig/default_setting_overrides.d/hpcc_notebook.json"

AUTOSAVE_EVERY = 60  # seconds; a job or a node may end at any time, and Jupyter's own 120 are lost

_SETTINGS = {
    # Nothing asks the internet, and nothing asks whether it may.
    "@jupyterlab/apputils-extension:notification": {
        "checkForUpdates": False,
        "fetchNews": "false",
    },
    "@jupyterlab/docmanager-extension:plugin": {
        "autosave": True,
        "autosaveInterval": AUTOSAVE_EVERY,
    },
}
SETTINGS = json.dumps(_SETTINGS, indent=1, sort_keys=True) + "\n"

_LOGIN_PAGE = """\
{# Managed by hpcc.notebook: edits are lost. #}
{% set where = notebook.node if notebook else "this node" %}
{% set whose = " of " ~ notebook.user if notebook and notebook.user else "" %}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Log in: {{ where }}{% if notebook %} ({{ notebook.profile }}){% endif %}</title>
<link rel="shortcut icon" type="image/x-icon" href="{{ static_url("favicon.ico") }}">
<style>
:root { --page: #f5f6f8; --card: #fff; --text: #1c2430; --soft: #566072; --line: #c6ccd6;
  --accent: #1557b0; --on-accent: #fff; --wrong: #a3161f; --wrong-card: #fdecec; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181f; --card: #1e242e; --text: #e7ebf1; --soft: #a5b0c1; --line: #48536a;
    --accent: #8ab8ff; --on-accent: #10151d; --wrong: #ffb4b4; --wrong-card: #43222a; }
}
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 27rem; margin: 12vh auto 2rem; padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; overflow-wrap: anywhere; }
h1 { margin: 0 0 .25rem; font-size: 1.4rem; line-height: 1.3; }
p { margin: .5rem 0; color: var(--soft); }
label { display: block; margin: 1.25rem 0 .35rem; font-weight: 600; }
input, button { box-sizing: border-box; width: 100%; padding: .6rem .75rem; font: inherit;
  border: 1px solid var(--line); border-radius: 6px; }
input { background: var(--page); color: var(--text); }
button { margin-top: .75rem; background: var(--accent); color: var(--on-accent); font-weight: 600;
  border-color: var(--accent); cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.wrong { margin-top: 1rem; padding: .6rem .75rem; border-radius: 6px; color: var(--wrong);
  background: var(--wrong-card); }
summary { margin-top: 1.25rem; cursor: pointer; color: var(--soft); }
pre { padding: .6rem .75rem; background: var(--page); border: 1px solid var(--line);
  border-radius: 6px; font-size: .85rem; white-space: pre-wrap; }
</style>
</head>
<body>
<main>
<h1>Notebook{{ whose }} on {{ where }}</h1>
{% if notebook %}<p>Profile {{ notebook.profile }}</p>{% endif %}
{% if message %}
<p class="wrong" role="alert">That is not the password of this notebook. Where it was changed, this
server knows the new one only after a restart.</p>
{% endif %}
{% if login_available %}
<form action="{{ base_url }}login?next={{ next }}" method="post">
{{ xsrf_form_html() | safe }}
<label for="password_input">Password</label>
<input type="password" name="password" id="password_input" autocomplete="current-password" autofocus
 aria-describedby="which">
<button type="submit" id="login_submit">Log in</button>
</form>
<p id="which">It is the one that you chose in setup, not that of your account.</p>
<details>
<summary>Forgotten?</summary>
<p>Choose a new one, on your own computer:</p>
<pre>NEW_PASSWORD
RESTART</pre>
</details>
{% else %}
<p>Nobody can log in here. On your own computer, ask the doctor:</p>
<pre>DOCTOR</pre>
{% endif %}
</main>
</body>
</html>
"""

# What the page tells a person to type, by the words that stand for it there.
_TYPED = {
    "NEW_PASSWORD": f"{commands.SETUP} -i my.ini -e nbserver_profile_ask_password=true",
    "RESTART": f"{commands.RESTART} -i my.ini",
    "DOCTOR": f"{commands.DOCTOR} -i my.ini",
}
LOGIN_PAGE = re.sub("|".join(_TYPED), lambda found: _TYPED[found[0]], _LOGIN_PAGE)
