// Talks to a notebook server as VS Code's Jupyter extension does: logs in by password as a browser would, starts
// a session, and runs a cell through @jupyterlab/services. Standard input has {"url", "password", "code"}, or a "token"
// instead of the password, as PyCharm sends it. With "keep" the kernel goes on.
// Whom it trusts says the environment: node --use-openssl-ca, with SSL_CERT_FILE and SSL_CERT_DIR.
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const require = createRequire(import.meta.url);
const WebSocket = require('ws');
const { KernelManager, ServerConnection, SessionManager } = require('@jupyterlab/services');

const asked = JSON.parse(await text(process.stdin));

function cookiesOf(response) {
  return response.headers.getSetCookie().map(cookie => cookie.split(';')[0]);
}

// A form, with the token against forged requests in it and in its cookie; the answer has the cookie of the session.
async function logIn(url, password) {
  const page = await fetch(`${url}/login`, { redirect: 'manual' });
  const cookies = cookiesOf(page);
  const xsrf = cookies.find(cookie => cookie.startsWith('_xsrf=')).slice('_xsrf='.length);
  const answer = await fetch(`${url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Cookie: cookies.join('; '), 'X-XSRFToken': xsrf },
    body: new URLSearchParams({ _xsrf: xsrf, password })
  });
  if (answer.status !== 302) {
    throw new Error(`login: ${answer.status}`);
  }
  return { Cookie: [...cookies, ...cookiesOf(answer)].join('; '), 'X-XSRFToken': xsrf };
}

function settingsFor(url, headers) {
  class Authorized extends WebSocket {
    constructor(address, protocols) {
      super(address, protocols, { headers });
    }
  }
  return ServerConnection.makeSettings({
    baseUrl: url,
    wsUrl: url.replace(/^http/, 'ws'),
    appendToken: false,
    init: { headers, cache: 'no-store', credentials: 'same-origin' },
    WebSocket: Authorized
  });
}

async function run(session, code) {
  const shown = [];
  const execution = session.kernel.requestExecute({ code });
  execution.onIOPub = message => {
    shown.push(message.content.text ?? message.content.data?.['text/plain'] ?? message.content.evalue ?? '');
  };
  const reply = await execution.done;
  return { status: reply.content.status, shown: shown.join('') };
}

const headers = asked.token
  ? { Authorization: `token ${asked.token}` }
  : await logIn(asked.url, asked.password);
const serverSettings = settingsFor(asked.url, headers);
const kernelManager = new KernelManager({ serverSettings });
const sessions = new SessionManager({ serverSettings, kernelManager });
await sessions.ready;
const session = await sessions.startNew({
  name: 'from an editor',
  path: 'from-an-editor.ipynb',
  type: 'notebook',
  kernel: { name: 'python3' }
});
try {
  console.log(JSON.stringify(await run(session, asked.code)));
} finally {
  if (!asked.keep) {
    await session.shutdown();
  }
  sessions.dispose();
  kernelManager.dispose();
}
process.exit(0);
