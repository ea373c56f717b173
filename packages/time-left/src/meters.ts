// Copyright (c) hpcc.notebook contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { Widget } from '@lumino/widgets';

const EVERY = 15000; // milliseconds

/** One figure, as the server words it. */
interface IMeter {
  name: string;
  text: string;
  near: boolean; // to its limit
  of: string;
}

/** What the server says now. */
interface IAnswer {
  meters: IMeter[];
  left?: number; // seconds until cells are interrupted; of a job
}

/** What the server uses of what it may, at the top of the page. */
class Meters extends Widget {
  constructor() {
    super();
    this.id = 'hpcc-notebook-meters';
    Object.assign(this.node.style, { alignSelf: 'center', display: 'flex', whiteSpace: 'nowrap' });
  }

  tell(meters: IMeter[]): void {
    this.node.replaceChildren(
      ...meters.map(meter => {
        const shown = document.createElement('span');
        shown.textContent = `${meter.name} ${meter.text}`;
        shown.title = `${meter.name} ${meter.of}`;
        Object.assign(shown.style, { padding: '0 8px', borderRadius: '3px' });
        if (meter.near) {
          Object.assign(shown.style, { background: 'var(--jp-warn-color2)', color: 'black' });
        }
        return shown;
      })
    );
  }
}

async function asked(path: string): Promise<IAnswer> {
  const settings = ServerConnection.makeSettings();
  const url = URLExt.join(settings.baseUrl, path);
  const answer = await ServerConnection.makeRequest(url, {}, settings);
  return answer.ok ? await answer.json() : { meters: [] };
}

/**
 * Ask while somebody looks; a connection that is away is said elsewhere.
 * Gives what asks at once, for who wants to know.
 */
export function showMeters(
  app: JupyterFrontEnd,
  tellLeft: (seconds: number) => void
): () => Promise<void> {
  const path = PageConfig.getOption('hpccNotebookMeters');
  if (!path) {
    return async () => undefined;
  }
  const shown = new Meters();
  app.shell.add(shown, 'top', { rank: 999 });
  const ask = async () => {
    const answer = await asked(path).catch(() => null);
    if (answer) {
      shown.tell(answer.meters);
    }
    if (answer?.left !== undefined) {
      tellLeft(answer.left);
    }
  };
  const look = () => {
    if (!document.hidden) {
      void ask();
    }
  };
  look();
  setInterval(look, EVERY);
  document.addEventListener('visibilitychange', look);
  return ask;
}
