# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of contents for nbclassic, which has none; JupyterLab and Notebook 7 have. Pure: text.

The extensions that once brought one import parts of a Notebook that is no more, so this is ours:
a button in the toolbar, and beside the notebook its headings, to be clicked on.
"""

from __future__ import annotations

import json

NAME = "table_of_contents/main"
SCRIPT = "jupyter/nbextensions/table_of_contents/main.js"
SWITCH = "serverconfig/notebook.d/table_of_contents.json"

ENABLED = json.dumps({"load_extensions": {NAME: True}}, indent=1) + "\n"

EXTENSION = """\
// Managed by hpcc.notebook: edits are lost.
define(["base/js/namespace", "base/js/events"], function (Jupyter, events) {
    "use strict";
    var shown = "hpcc_notebook_table_of_contents";
    var panel = document.createElement("nav");
    var pending = 0;

    function headings() {
        return document.querySelectorAll(
            ".text_cell_render h1, .text_cell_render h2, .text_cell_render h3, " +
            ".text_cell_render h4, .text_cell_render h5, .text_cell_render h6"
        );
    }

    // Text only: what stands in a notebook must not become a part of this page twice.
    function title(heading) {
        var copy = heading.cloneNode(true);
        copy.querySelectorAll(".anchor-link").forEach(function (link) { link.remove(); });
        return copy.textContent.trim();
    }

    function go_to(heading) {
        var cells = Jupyter.notebook.get_cells();
        var index = cells.findIndex(function (cell) { return cell.element[0].contains(heading); });
        Jupyter.notebook.select(index);
        heading.scrollIntoView();
    }

    function entry(heading) {
        var link = document.createElement("a");
        link.href = "#";
        link.textContent = title(heading);
        link.style.display = "block";
        link.style.paddingLeft = Number(heading.tagName[1]) - 1 + "em";
        link.addEventListener("click", function (event) {
            event.preventDefault();
            go_to(heading);
        });
        return link;
    }

    function update() {
        pending = 0;
        panel.replaceChildren.apply(panel, Array.from(headings(), entry));
        if (!panel.hasChildNodes()) {
            panel.textContent = "This notebook has no headings yet.";
        }
    }

    function update_soon() {
        pending = pending || window.setTimeout(update, 100);
    }

    // Beneath the header, whose height changes, and beside the notebook, which makes room.
    function place() {
        panel.style.top = document.getElementById("site").getBoundingClientRect().top + "px";
    }

    function show(visible) {
        panel.style.display = visible ? "block" : "none";
        document.getElementById("site").style.paddingLeft = visible ? "18em" : "";
        document.getElementById("notebook-container").style.maxWidth = visible ? "100%" : "";
        window.localStorage.setItem(shown, visible ? "yes" : "no");
        place();
    }

    function toggle() {
        update();
        show(panel.style.display === "none");
    }

    function load() {
        panel.id = "table-of-contents";
        panel.style.cssText = "position: fixed; left: 0; bottom: 0; width: 18em; " +
            "padding: 1em; overflow: auto; background: white; border-right: 1px solid #ddd;";
        document.body.appendChild(panel);
        Jupyter.toolbar.add_buttons_group([Jupyter.keyboard_manager.actions.register(
            {help: "Table of contents", icon: "fa-list-ul", handler: toggle},
            "toggle", "table_of_contents"
        )]);
        events.on("rendered.MarkdownCell set_dirty.Notebook notebook_loaded.Notebook", update_soon);
        events.on("resize-header.Page", place);
        show(window.localStorage.getItem(shown) === "yes");
        update();
    }

    return {load_ipython_extension: load};
});
"""
