# SPDX-License-Identifier: BSD-2-Clause
# Sourced by build.sh and mkinitramfs.sh: messages, stamps, locks, long commands with progress.

die()
{
    echo "${0##*/}: error: $*" >&2
    exit 1
}

say()
{
    echo "[$label] $*" >&2
}

label=build
child=
reporter=

# A command name and the Debian package it comes from.
need()
{
    command -v "$1" >/dev/null || die "'$1' not found: install the Debian package $2"
}

check_tools()
{
    need make make
    need gcc gcc
    need bc bc
    need flex flex
    need bison bison
    need xz xz-utils
    need patch patch
    need "$triplet-gcc" "gcc-$triplet"
}

# Hash of the named files' contents and of the words after "--".
hash_inputs()
{
    local files=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        files+=("$1")
        shift
    done
    {
        [ ${#files[@]} = 0 ] || sha256sum -- "${files[@]}"
        printf '%s\n' "$@"
    } | sha256sum | cut -c1-64
}

# is_current STAMP HASH; mark_current STAMP HASH
is_current()
{
    [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

mark_current()
{
    echo "$2" >"$1.tmp"
    mv "$1.tmp" "$1"
}

# One build in a folder at a time; a second start waits for the first.
with_lock()
{
    exec 9>"$1"
    flock -n 9 || {
        say "waiting for another build in ${1%/*}"
        flock 9
    }
}

unlock()
{
    exec 9>&-
}

# The reporter prints a line every other second; the long command runs beside it, in a process group of its own,
# so that a signal to this script alone stops all of it.
stop_children()
{
    local status=$?
    [ -z "$reporter" ] || kill -TERM "$reporter" 2>/dev/null || true
    if [ -n "$child" ]; then
        kill -TERM -- "-$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    return $status
}

# report LOG PATTERN OF: for ever, how many lines of LOG match, or what its last line is.
report()
{
    local n=0 last=
    while sleep 2; do
        [ -z "$2" ] || n=$(grep -c "$2" "$1" || true)
        if [ "$n" != "${last:-0}" ]; then
            say "compiling... $n${3:+ of about $3} objects"
        else
            say "at work: $(tail -n 1 "$1" | tr -s ' \t' ' ' | cut -c1-60)"
        fi
        last=$n
    done
}

# run_logged LOG PATTERN OF COMMAND...: runs with progress lines; on failure shows the end of the log and dies.
run_logged()
{
    local log=$1 pattern=$2 of=$3 status=0
    shift 3
    set -m
    "$@" >"$log" 2>&1 9>&- </dev/null &
    child=$!
    set +m
    report "$log" "$pattern" "$of" 9>&- &
    reporter=$!
    wait "$child" || status=$?
    child=
    kill "$reporter" 2>/dev/null || true
    wait "$reporter" 2>/dev/null || true
    reporter=
    [ $status = 0 ] && return
    echo "--- end of $log" >&2
    grep -n -m 5 -iE '(error|\*\*\*)' "$log" >&2 || true
    tail -n 20 "$log" >&2
    die "[$label] failed ($1, status $status); the whole log is $log"
}
