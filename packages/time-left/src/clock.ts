// Copyright (c) hpcc.notebook contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** What the server says when it sends the page; all in seconds. */
export interface IEnd {
  left: number; // until cells are interrupted, when it sent the page
  warnings: number[]; // a person is warned when so much is left, the longest first
  last_save: number; // what has changed is saved when so much is left
  autosave: number; // how often JupyterLab saves until the last warning
  hurry: number; // and afterwards
}

/** What a page says of its end, or nothing where there is none. */
export function parse(option: string): IEnd | null {
  return option ? (JSON.parse(option) as IEnd) : null;
}

/** A time as people say it: to the minute, and at last to the second. */
export function spoken(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) {
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }
  const rest = Math.floor(seconds % 60);
  return minutes >= 5 ? `${minutes} min` : minutes ? `${minutes} min ${rest} s` : `${rest} s`;
}

/** How many of these moments have come. */
export function passed(moments: number[], left: number): number {
  return moments.filter(moment => left <= moment).length;
}

/** When the job is over, by this computer's clock: what the server says, until it says it anew. */
export class Moment {
  private over = 0; // milliseconds of the epoch
  private drift = 0; // by how much this clock was ahead of the one that nobody sets

  constructor(left: number) {
    this.tell(left);
    this.wasSet();
  }

  /** Take the server's word, but for the way that it took. */
  tell(left: number): void {
    if (Math.abs(left - this.left) > 2) {
      this.over = Date.now() + left * 1000;
    }
  }

  /** Whether the clock was put on or back since this was asked last, or the computer slept. */
  wasSet(): boolean {
    const before = this.drift;
    this.drift = Date.now() - performance.now();
    return Math.abs(this.drift - before) > 2000;
  }

  get left(): number {
    return (this.over - Date.now()) / 1000;
  }

  get spoken(): string {
    return new Date(this.over).toLocaleTimeString();
  }
}
