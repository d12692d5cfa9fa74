# SPDX-License-Identifier: BSD-2-Clause
"""The page of ./disco reproduce: sections with plots, tables beside the paper's figures, and the commands."""

import html
from dataclasses import dataclass, field

STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; } th, td { padding: .25em .8em; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; } caption { text-align: left; font-weight: bold; padding: .3em 0; }
.paper { color: #777; } pre { background: #f6f6f6; padding: .6em; overflow-x: auto; font-size: 13px; } svg { max-width: 100%; }
"""


@dataclass
class Table:
    """Columns whose names begin with "paper" are the paper's figures."""
    title: str
    columns: list
    rows: list


@dataclass
class Section:
    name: str           # as on the command line
    title: str
    intro: str
    plots: list = field(default_factory=list)       # SVG
    tables: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    commands: list = field(default_factory=list)


def cell(value):
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
    return html.escape(f"{value:,}" if isinstance(value, int) else str(value))


def table(t):
    marks = [' class="paper"' if str(name).startswith("paper") else "" for name in t.columns]
    head = "".join(f"<th{mark}>{html.escape(str(name))}</th>" for mark, name in zip(marks, t.columns))
    rows = "".join("<tr>" + "".join(f"<td{mark}>{cell(value)}</td>" for mark, value in zip(marks, row)) + "</tr>\n"
                   for row in t.rows)
    return f"<table><caption>{html.escape(t.title)}</caption><tr>{head}</tr>\n{rows}</table>"


def section(s):
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in s.notes)
    commands = html.escape("\n".join(s.commands))
    return "\n".join([f'<h2 id="{s.name}">{html.escape(s.title)}</h2>', f"<p>{html.escape(s.intro)}</p>", *s.plots,
                      *(table(t) for t in s.tables), f"<ul>{notes}</ul>" if notes else "",
                      f"<details><summary>commands</summary><pre>{commands}</pre></details>"])


def page(title, made, sections):
    links = " · ".join(f'<a href="#{s.name}">{html.escape(s.title)}</a>' for s in sections)
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f"<style>{STYLE}</style></head><body>\n<h1>{html.escape(title)}</h1>\n<p>{html.escape(made)}</p>\n<p>{links}</p>\n"
            + "\n".join(section(s) for s in sections) + "\n</body></html>\n")


def text(s):
    """The tables for a terminal."""
    lines = [f"== {s.title}"]
    for t in s.tables:
        cells = [[str(name) for name in t.columns], *([cell(value) for value in row] for row in t.rows)]
        widths = [max(len(html.unescape(row[place])) for row in cells) for place in range(len(t.columns))]
        lines += [t.title, *("  " + "  ".join(html.unescape(value).rjust(width) if place else html.unescape(value).ljust(width)
                                              for place, (value, width) in enumerate(zip(row, widths))) for row in cells)]
    return "\n".join(lines)
