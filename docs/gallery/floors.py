# SPDX-License-Identifier: BSD-3-Clause
"""The floors of the house, from the ground: imports run downward only.

The list is that of the test which parses every import (tests/unit/test_architecture.py).
``python docs/gallery/floors.py`` draws ``docs/figures/floors.svg`` anew.
"""

import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from tests.unit.test_architecture import FLOORS, PUBLIC  # noqa: E402

FILE = ROOT / "docs" / "figures" / "floors.svg"
WIDTH, LEFT, ROW, GAP = 980, 640, 34, 6
REALMS = ("atmosphere", "ocean", "land", "chemistry", "radiation", "ml_surrogates")


def box(x, y, width, height, text, fill, *, bold=False, size=14):
    """A rectangle with a line of text."""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="{fill}" stroke="#4a5a6a"/>\n'
        f'<text x="{x + 12}" y="{y + height / 2 + 5:.0f}" font-size="{size}"{weight}>{escape(text)}</text>\n'
    )


def exists(name):
    """Whether a floor's name is there already: the list is the plan."""
    path = ROOT.joinpath("coupler", *name.split("."))
    return bool(name) and (path.is_dir() or path.with_suffix(".py").is_file())


def draw():
    """The picture, as SVG text."""
    public = {name.removeprefix("coupler.") for name in PUBLIC}
    floors = [(number, names) for number, names in enumerate(FLOORS) if any(map(exists, names))]
    height = 60 + len(floors) * (ROW + GAP) + 70
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">\n',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n',
        '<text x="20" y="34" font-size="18" font-weight="bold">coupler</text>\n',
        f'<text x="{LEFT + 40}" y="34" font-size="18" font-weight="bold">components</text>\n',
    ]
    for row, (number, names) in enumerate(reversed(floors)):
        y = 50 + row * (ROW + GAP)
        shown = [n for n in names if exists(n)]
        open_to_all = any(n.split(".")[0] in public for n in shown)
        out.append(
            box(20, y, LEFT - 40, ROW, f"{number}   {', '.join(shown)}", "#dcebd5" if open_to_all else "#eef1f4")
        )
    bottom = 50 + len(floors) * (ROW + GAP) - GAP
    x, width = LEFT + 40, WIDTH - LEFT - 60
    for n, realm in enumerate(REALMS):
        out.append(box(x, 50 + n * (ROW + GAP), width, ROW, realm, "#fdf0d5"))
    y = 50 + len(REALMS) * (ROW + GAP) + 30
    out.append(box(x, y, width, 2 * ROW, "science: physics that realms share", "#fbe3b0", bold=True, size=13))
    middle = x + width / 2
    arrow = 'stroke="#4a5a6a" stroke-width="2" marker-end="url(#head)"'
    out.append(
        '<defs><marker id="head" markerWidth="8" markerHeight="8" refX="6" refY="3" orient="auto">'
        '<path d="M0,0 L6,3 L0,6 z" fill="#4a5a6a"/></marker></defs>\n'
    )
    out.append(f'<line x1="{middle}" y1="{y - 30}" x2="{middle}" y2="{y - 4}" {arrow}/>\n')
    out.append(f'<line x1="{x}" y1="{y + ROW}" x2="{LEFT - 14}" y2="{y + ROW}" {arrow}/>\n')
    out.append(f'<line x1="8" y1="50" x2="8" y2="{bottom}" {arrow}/>\n')
    note = "green: floors with names that components may import; an import goes down or stays on its floor"
    out.append(f'<text x="20" y="{bottom + 34}" font-size="13">{note}</text>\n')
    note = (
        "a model never imports another model; coupler imports no component: it finds models by the names in a namelist"
    )
    out.append(f'<text x="20" y="{bottom + 54}" font-size="13">{note}</text>\n</svg>\n')
    return "".join(out)


if __name__ == "__main__":
    FILE.write_text(draw(), encoding="utf-8")
    print(FILE)
