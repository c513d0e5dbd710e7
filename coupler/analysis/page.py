# SPDX-License-Identifier: BSD-3-Clause
"""Pages of numbers and figures that open without a server, and the same numbers as CSV."""

from __future__ import annotations

import base64
import csv
import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from coupler.analysis.figures import pyplot
from coupler.files.atomic import whole_file

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#222;max-width:1180px;margin:2em auto;padding:0 1em}
h1{font-size:1.5em} h2{font-size:1.15em;margin:2.2em 0 .3em;border-top:1px solid #ddd;padding-top:1em}
table{border-collapse:collapse;margin:.8em 0;font-size:.9em} th,td{padding:.22em .7em;text-align:right}
th{border-bottom:1px solid #888;font-weight:600} td:first-child,th:first-child{text-align:left}
td:first-child{min-width:13em}
tr:nth-child(even) td{background:#f6f6f4} img{max-width:100%} p.note{color:#666;font-size:.9em}
"""


def write(title: str, parts: Sequence[str], path: Path) -> Path:
    """Write a page, whole or not at all.

    Parameters
    ----------
    title : its heading
    parts : HTML that follows
    path : HTML file to write
    """
    title = html.escape(title)
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
        f"<body><h1>{title}</h1>{''.join(parts)}</body></html>\n"
    )
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def write_numbers(rows: Sequence[dict[str, Any]], path: Path, head: Sequence[str] = ()) -> Path:
    """Write rows as CSV, whole or not at all.

    Parameters
    ----------
    rows : of the same keys
    path : CSV to write
    head : the keys, where there may be no row: a file of an earlier page must not stand beside this one
    """
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(head or rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def number(value: float) -> str:
    """A number of a table: three digits, a dash where there is none."""
    return "–" if not np.isfinite(value) else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """HTML of a table.

    Parameters
    ----------
    head, rows : texts of the cells
    """
    top = "".join(f"<th>{html.escape(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def note(text: str) -> str:
    """HTML of a remark."""
    return f'<p class="note">{html.escape(text)}</p>'


def embedded(figure: Any, text: str) -> str:
    """HTML of a figure drawn into the page.

    Parameters
    ----------
    figure : of matplotlib; it is used up
    text : what a reader who cannot see it gets
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, bbox_inches="tight")
    pyplot().close(figure)
    return f'<img alt="{html.escape(text)}" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
