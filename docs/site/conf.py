# SPDX-License-Identifier: BSD-3-Clause
"""Sphinx's settings for the site; `build.py` lays out the sources that it reads."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sphinx.addnodes import pending_xref

from coupler import __version__

project = "Tessera"
author = "The Tessera developers"
copyright = "2026, the Tessera developers"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"Tessera {release}"
html_show_sphinx = False
default_role = "literal"
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]
napoleon_google_docstring = False
napoleon_use_param = False  # the types are prose, with units: not names to link to
napoleon_use_rtype = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_mock_imports = ["yac", "xesmf", "climt", "sympl"]
LITERAL = re.compile(r"(``.+?``|`[^`]+`)")


def keep_formulas(app, what, name, thing, options, lines):
    """Docstrings write |x| and a*b as a paper does: no substitutions and no emphasis."""
    literal_from = None
    for n, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if literal_from is not None and line.strip() and indent <= literal_from:
            literal_from = None
        if literal_from is None and not line.lstrip().startswith((">>>", "...")):
            parts = LITERAL.split(line)
            parts[::2] = [re.sub(r"(?<!\\)([|*])", r"\\\1", part) for part in parts[::2]]
            lines[n] = "".join(parts)
        if literal_from is None and line.rstrip().endswith("::"):
            literal_from = indent


def keep_types_as_text(app, doctree):
    """Types in docstrings are prose with shapes and units: ``s`` is a second, no attribute of that name."""
    for node in list(doctree.findall(pending_xref)):
        if node.get("refdomain") == "py" and node.get("reftype") in ("class", "obj"):
            node.replace_self(node.children)


def setup(app):
    """Connect what this file adds; before napoleon, which makes markup of its own."""
    app.connect("autodoc-process-docstring", keep_formulas, priority=400)
    app.connect("doctree-read", keep_types_as_text)
