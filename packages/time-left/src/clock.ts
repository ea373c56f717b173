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
