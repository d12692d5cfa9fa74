#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# textsize.sh SIZE ELF LIMIT OUT: how big the monitor's .text is; fails beyond LIMIT KiB. The paper's monitor
# had 72 KB of text, copied to every node's memory (Disco, section 4).
set -eu
bytes=$("$1" -A "$2" | awk '$1 == ".text" { print $2 }')
line=$(awk -v n="$bytes" -v max="$3" 'BEGIN { printf "monitor text: %.1f KB (at most %d KB)", n / 1024, max }')
echo "$line"
[ "$bytes" -le $(($3 * 1024)) ] || { echo "$2: the monitor's text has become too big" >&2; exit 1; }
echo "$line" >"$4"
