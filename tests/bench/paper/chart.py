# SPDX-License-Identifier: BSD-2-Clause
"""Plots as SVG, by gnuplot."""

import re
import subprocess

from launcher.say import Failure

COLOURS = ("#4c72b0", "#8c6bb1", "#c44e52", "#55a868", "#dd8452", "#d9d9d9", "#64b5cd", "#937860")
TIMEOUT = 60


def quoted(text):
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def stacked(title, axis, parts, bars):
    """Bars of stacked parts. `bars` are (label, values in the order of `parts`); a label of None leaves a gap."""
    rows = "".join(" ".join([quoted(label or ""), *(f"{value:.6g}" for value in values or [0] * len(parts))]) + "\n"
                   for label, values in bars)
    plots = ", ".join(f"$d using {place + 2}{':xtic(1)' if place == 0 else ''} title {quoted(part)} "
                      f"linecolor rgb {quoted(COLOURS[place % len(COLOURS)])}" for place, part in enumerate(parts))
    return svg(f"""
set title {quoted(title)}
set ylabel {quoted(axis)}
set style data histogram
set style histogram rowstacked
set style fill solid border rgb "white"
set boxwidth 0.75
set yrange [0:*]
set grid ytics
set key outside right reverse Left
set xtics rotate by -25
$d << EOD
{rows}EOD
plot {plots}
""", width=max(620, 70 * len(bars) + 260))


def svg(script, width=720, height=380):
    """What a gnuplot script draws, as an element to be put into a page."""
    head = f'set terminal svg size {width},{height} font "sans-serif,12" noenhanced\n'
    done = subprocess.run(["gnuplot"], input=head + script, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    found = re.search(r"<svg.*</svg>", done.stdout, re.DOTALL)
    if done.returncode or not found:
        raise Failure(f"gnuplot: {done.stderr.strip() or 'no plot'}")
    return found[0]
