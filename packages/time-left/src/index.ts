// Copyright (c) hpcc.notebook contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Widget } from '@lumino/widgets';

import { IEnd, Moment, parse, passed, spoken } from './clock';
import { showMeters } from './meters';

const DOCUMENTS = '@jupyterlab/docmanager-extension:plugin';

/** What of the end stands at the top of the page. */
class TimeLeft extends Widget {
  constructor() {
    super();
    this.id = 'hpcc-notebook-time-left';
    Object.assign(this.node.style, {
      alignSelf: 'center',
      padding: '0 8px',
      borderRadius: '3px',
      whiteSpace: 'nowrap'
    });
  }

  tell(over: Moment, warned: boolean): void {
    const text = over.left > 0 ? `${spoken(over.left)} left` : 'The job is over';
    if (this.node.textContent !== text) {
      this.node.textContent = text;
    }
    this.node.title = `The job of this server ends at ${over.spoken}.`;
    this.node.style.background = warned ? 'var(--jp-warn-color2)' : '';
    this.node.style.color = warned ? 'black' : '';
  }
}

/** Save what has changed, unless the person has turned that off. */
function saveChanged(app: JupyterFrontEnd, documents: IDocumentManager): void {
  for (const widget of documents.autosave ? app.shell.widgets('main') : []) {
    const context = documents.contextForWidget(widget);
    if (context?.model.dirty && context.canSave !== false) {
      context.save().catch(reason => console.warn('Not saved before the end:', reason));
    }
  }
}

function warn(app: JupyterFrontEnd, over: Moment): string {
  const save = 'docmanager:save-all';
  return Notification.warning(
    `The job of this server ends in ${spoken(over.left)}, at ${over.spoken}. ` +
      'Cells are interrupted then, and kernels end.',
    {
      autoClose: false,
      actions: app.commands.hasCommand(save)
        ? [{ label: 'Save all', callback: () => void app.commands.execute(save) }]
        : []
    }
  );
}

async function follow(
  app: JupyterFrontEnd,
  end: IEnd,
  over: Moment,
  ask: () => Promise<void>,
  documents: IDocumentManager,
  settings: ISettingRegistry | null
): Promise<void> {
  const label = new TimeLeft();
  app.shell.add(label, 'top', { rank: 1000 });
  await app.restored;
  const chosen = await settings?.load(DOCUMENTS).catch(() => null);
  let warned = 0;
  let shown = '';
  let saved = false;
  const look = () => {
    const left = over.left;
    const warnings = passed(end.warnings, left);
    label.tell(over, warnings > 0);
    if (chosen?.user.autosaveInterval === undefined) {
      documents.autosaveInterval = warnings < end.warnings.length ? end.autosave : end.hurry;
    }
    if (warnings !== warned) {
      Notification.dismiss(shown); // also of an end that a clock, which was set, had let seem near
    }
    if (warnings > warned && left > 0) {
      saveChanged(app, documents); // once, also where a computer has slept through both moments
      shown = warn(app, over);
    }
    warned = warnings;
    const last = left <= end.last_save;
    if (last && !saved) {
      saveChanged(app, documents);
    }
    saved = last;
  };
  look();
  setInterval(() => (over.wasSet() ? void ask().then(look) : look()), 1000);
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'hpcc-notebook-time-left:plugin',
  description:
    'Shows what the server uses and how long its job goes on, and saves before the end.',
  autoStart: true,
  requires: [IDocumentManager],
  optional: [ISettingRegistry],
  activate: (app, documents: IDocumentManager, settings: ISettingRegistry | null) => {
    const end = parse(PageConfig.getOption('hpccNotebookEnd'));
    const over = end && new Moment(end.left); // the clocks of two computers may differ
    const ask = showMeters(app, left => over?.tell(left));
    if (end && over) {
      void follow(app, end, over, ask, documents, settings);
    }
  }
};

export default plugin;
