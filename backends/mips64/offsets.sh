#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# offsets.sh IN.c OUT.h CC [ARGS...]: compile IN.c to assembler, collect its "->NAME VALUE" lines.
set -e
in=$1 out=$2
shift 2
"$@" -S -o "$out.s" "$in"
{
    echo "/* SPDX-License-Identifier: BSD-2-Clause */"
    echo "/* Made by offsets.sh from offsets.c. */"
    sed -n 's/^->\([A-Z0-9_]*\) \([-0-9]*\).*/#define \1 \2/p' "$out.s"
} > "$out"
rm -f "$out.s"
grep -q '#define' "$out"
