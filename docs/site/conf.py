"""How Sphinx renders the documentation; tests/site.py lays out what it reads."""

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

project = "hpcc.notebook"
author = copyright = "The hpcc.notebook maintainers"  # noqa: A001

lexers["mermaid"] = TextLexer()  # GitHub and GitLab draw it; here it is read

extensions = ["myst_parser", "sphinx_antsibull_ext"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["docs/site"]
myst_heading_anchors = 3  # links such as page.md#heading

html_theme = "furo"
html_title = "hpcc.notebook"
html_copy_source = False
pygments_style = "ansible"
