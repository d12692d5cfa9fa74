#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds one example as an outsider would: cc and pkg-config know nothing of this tree.
# usage: build.sh SOURCE PROGRAM        (an example NAME.c uses the library disco-NAME)
set -eu
library=disco-$(basename "$1" .c)
flags=$(pkg-config --cflags --libs "$library")
# The flags are words.
# shellcheck disable=SC2086
exec ${CC:-cc} -std=c11 -Wall -Wextra -Werror "$1" $flags -o "$2"
