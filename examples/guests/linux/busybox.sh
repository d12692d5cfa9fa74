# SPDX-License-Identifier: BSD-2-Clause
# Sourced by build.sh: the static BusyBox.

busybox_make()
{
    make -C "$busybox_tree" O="$build" ARCH=mips CROSS_COMPILE="$triplet-" SOURCE_DATE_EPOCH=1767225600 "$@"
}

configure_busybox()
{
    local line name
    busybox_make defconfig
    while read -r line; do
        name=$(echo "$line" | grep -oE 'CONFIG_[A-Z0-9_]+') || continue
        sed -i -E "s|^(# )?$name[= ].*|$line|" "$build/.config"
    done < <(grep -E '^(CONFIG_|# CONFIG_.* is not set)' "$here/config/busybox.config")
    busybox_make oldconfig < <(yes '' 2>/dev/null)
}

build_busybox()
{
    local out=$1 hash of=560
    label="busybox $endian"
    build=$out/build
    lock_sources
    find_busybox
    hash=$(hash_inputs "$here/busybox.sh" "$here/config/busybox.config" -- "$endian" "$busybox_version" \
        "$busybox_source" "$($triplet-gcc --version | head -n 1)")
    if is_current "$out/.stamp" "$hash" && [ -x "$out/root/bin/busybox" ]; then
        unlock_sources
        say "up to date"
        return
    fi
    rm -f "$out/.stamp"
    unpack_busybox
    unlock_sources
    [ "$(cat "$build/.tree" 2>/dev/null)" = "$busybox_tree" ] || rm -rf "$build"
    rm -rf "$out/root" "$out/root.tmp"
    mkdir -p "$build"
    echo "$busybox_tree" >"$build/.tree"
    say "configuring"
    run_logged "$out/configure.log" "" "" configure_busybox
    say "compiling (log: $out/build.log)"
    run_logged "$out/build.log" '^  \(CC\|AS\) ' "$of" busybox_make -j "$jobs"
    run_logged "$out/install.log" "" "" busybox_make CONFIG_PREFIX="$out/root.tmp" install
    mv "$out/root.tmp" "$out/root"
    mark_current "$out/.stamp" "$hash"
    say "done: $out/root"
}
