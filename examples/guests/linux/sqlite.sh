# SPDX-License-Identifier: BSD-2-Clause
# Sourced by build.sh: the static shell of SQLite, which is the guest's database.

# A connection belongs to one thread; nothing is loaded at run time; arithmetic is not fused, as in userland/.
sqlite_flags=(-std=gnu11 -O2 -ffp-contract=off -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION)

# All of the library as one file: made once for both byte orders, and by main.mk, for which nothing need be configured.
# Of the unpacked source nothing else is kept. Sets sqlite_tree.
amalgamate_sqlite()
{
    local tree=$src/sqlite-$sqlite_version.unpacked made=$src/sqlite-$sqlite_version.tmp
    sqlite_tree=$src/sqlite-$sqlite_version
    [ -d "$sqlite_tree" ] && return
    need tclsh tcl
    unpack_package "$sqlite_source" "$tree" main.mk
    say "making the amalgamation"
    rm -rf "$made"
    mkdir -p "$made/work"
    run_logged "$src/sqlite3.log" "" "" \
        make -C "$made/work" -f "$tree/main.mk" TOP="$tree" BCC="gcc -O1" sqlite3.c shell.c
    mv "$made"/work/{sqlite3.c,sqlite3.h,shell.c} "$made"
    rm -rf "$made/work" "$tree"
    mv "$made" "$sqlite_tree"
}

# From within the folder of the sources: the program has their names in it, and shall be the same wherever that is.
compile_sqlite()
{
    cd "$sqlite_tree"
    printf '%s\n' sqlite3 shell |
        xargs -t -P "$jobs" -I NAME "$triplet-gcc" "${sqlite_flags[@]}" -c -o "$build/NAME.o" NAME.c
    "$triplet-gcc" -static -s -o "$build/sqlite3" "$build/shell.o" "$build/sqlite3.o" -lm
}

build_sqlite()
{
    local out=$1 hash
    label="sqlite $endian"
    build=$out/build
    lock_sources
    find_sqlite
    hash=$(hash_inputs "$here/sqlite.sh" -- "$endian" "$sqlite_version" "$sqlite_source" \
        "$($triplet-gcc --version | head -n 1)")
    if is_current "$out/.stamp" "$hash" && [ -x "$out/sqlite3" ]; then
        unlock_sources
        say "up to date"
        return
    fi
    rm -f "$out/.stamp"
    amalgamate_sqlite
    unlock_sources
    rm -rf "$build"
    mkdir -p "$build"
    say "compiling (log: $out/build.log)"
    run_logged "$out/build.log" "" "" compile_sqlite
    mv "$build/sqlite3" "$out/sqlite3"
    rm -rf "$build"
    mark_current "$out/.stamp" "$hash"
    say "done: $out/sqlite3"
}
