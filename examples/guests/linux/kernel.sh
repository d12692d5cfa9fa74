# SPDX-License-Identifier: BSD-2-Clause
# Sourced by build.sh: the two kernels.

overlay_files()
{
    (cd "$here/overlay" && find . -type f | sed 's|^\./||' | sort)
}

# Our headers that both sides of the machine interface include: source and place in the kernel tree.
shared_headers=(
    include/disco/calls.h
    include/disco/io.h
    backends/mips64/abi.h
)
shared_dir=arch/mips/include/asm/mach-disco/disco

# put SOURCE DEST: replaces DEST, by rename, if it differs. The tree shares its files with the pristine one by
# hard links, so nothing is ever written in place; an unchanged file keeps its time and is not compiled again.
put()
{
    cmp -s "$1" "$2" && return
    mkdir -p "${2%/*}"
    cp "$1" "$2.disco-tmp"
    mv "$2.disco-tmp" "$2"
}

# Applies all edits to copies of the files they touch, then puts these in place.
apply_edits()
{
    local tree=$1 scratch=$2 patch file
    rm -rf "$scratch"
    mkdir -p "$scratch"
    sed -n 's|^+++ b/\([^[:space:]]*\).*|\1|p' "$here"/edits/*.patch | sort -u >"$scratch/edited"
    while read -r file; do
        [ -f "$pristine/$file" ] || die "an edit names $file, which this kernel source does not have"
        mkdir -p "$scratch/tree/${file%/*}"
        cp -p "$pristine/$file" "$scratch/tree/$file"
    done <"$scratch/edited"
    for patch in "$here"/edits/*.patch; do
        (cd "$scratch/tree" && patch -p1 --fuzz=0 --no-backup-if-mismatch -s <"$patch") >"$scratch/log" 2>&1 ||
            die "edit ${patch##*/} does not apply to linux $linux_version: $(head -n 1 "$scratch/log")"
    done
    while read -r file; do put "$scratch/tree/$file" "$tree/$file"; done <"$scratch/edited"
}

# Files that an earlier overlay or edit brought and the present one does not: back to what Debian ships.
drop_stale()
{
    local tree=$1 present=$2 file
    [ -f "$tree/.disco-files" ] || return 0
    comm -23 "$tree/.disco-files" "$present" | while read -r file; do
        rm -f "$tree/$file"
        [ ! -f "$pristine/$file" ] || ln "$pristine/$file" "$tree/$file"
    done
}

# Sets tree to the source with the overlay in it, brought up to date.
prepare_overlay_tree()
{
    local scratch=$src/edits.tmp file
    tree=$src/linux-$linux_version-disco
    if [ ! -d "$tree" ]; then
        say "copying the source for the overlay"
        rm -rf "$tree.tmp"
        cp -al "$pristine" "$tree.tmp"
        mv "$tree.tmp" "$tree"
    fi
    apply_edits "$tree" "$scratch"
    overlay_files | while read -r file; do put "$here/overlay/$file" "$tree/$file"; done
    for file in "${shared_headers[@]}"; do put "$top/$file" "$tree/$shared_dir/${file##*/}"; done
    {
        cat "$scratch/edited"
        overlay_files
        for file in "${shared_headers[@]}"; do echo "$shared_dir/${file##*/}"; done
    } | sort >"$scratch/present"
    drop_stale "$tree" "$scratch/present"
    mv "$scratch/present" "$tree/.disco-files"
    rm -rf "$scratch"
}

kernel_make()
{
    make -C "$tree" O="$build" ARCH=mips CROSS_COMPILE="$triplet-" KBUILD_BUILD_USER=disco \
        KBUILD_BUILD_HOST=disco KBUILD_BUILD_TIMESTAMP=2026-01-01 KBUILD_BUILD_VERSION=1 "$@"
}

# All options asked for, one a line, the later one winning.
wanted_options()
{
    local s
    cat "$here/config/common.config" "$here/config/$1.config"
    case $endian in
    little) echo CONFIG_CPU_LITTLE_ENDIAN=y ;;
    big) echo CONFIG_CPU_BIG_ENDIAN=y ;;
    esac
    for s in ${settings[@]+"${settings[@]}"}; do
        case $s in
        *=y) echo "CONFIG_$s" ;;
        *=n) echo "# CONFIG_${s%=n} is not set" ;;
        esac
    done
}

configure_kernel()
{
    local want=$build/wanted.config line name
    kernel_make tinyconfig
    "$tree/scripts/kconfig/merge_config.sh" -m -O "$build" "$build/.config" "$want"
    kernel_make olddefconfig
    while read -r line; do
        case $line in
        CONFIG_*=*) name=${line%%=*} ;;
        "# CONFIG_"*" is not set") name=${line#\# } name=${name%% *} ;;
        *) continue ;;
        esac
        # What was asked for later wins, so only the last mention of a name counts.
        [ "$(grep -E "^($name=|# $name is not set)" "$want" | tail -n 1)" = "$line" ] || continue
        case $line in
        *=*) grep -qxF "$line" "$build/.config" || { echo "*** $line was not accepted"; return 1; } ;;
        *) ! grep -q "^$name=" "$build/.config" || { echo "*** $line was not accepted"; return 1; } ;;
        esac
    done <"$want"
}

# Objects of a whole build, as counted when these lines were written: only for the progress line.
objects_of() { case $1 in disco) echo 1060 ;; native) echo 870 ;; esac; }

build_kernel()
{
    local kind=$1 out=$2 hash inputs of
    label="kernel $endian $kind"
    build=$out/build
    find_linux
    inputs=("$here/kernel.sh" "$here/check-llsc.py" "$here/config/common.config" "$here/config/$kind.config")
    if [ "$kind" = disco ]; then
        mapfile -t -O ${#inputs[@]} inputs < <(overlay_files | sed "s|^|$here/overlay/|")
        inputs+=("$here"/edits/*.patch "${shared_headers[@]/#/$top/}")
    fi
    hash=$(hash_inputs "${inputs[@]}" -- "$kind" "$endian" "$linux_version" "$linux_tarball" \
        "$($triplet-gcc --version | head -n 1)" ${settings[@]+"${settings[@]}"})
    if is_current "$out/.stamp" "$hash" && [ -f "$out/vmlinux" ]; then
        say "up to date"
        return
    fi
    rm -f "$out/.stamp"
    lock_sources
    unpack_linux
    tree=$pristine
    [ "$kind" != disco ] || prepare_overlay_tree
    unlock_sources
    compile_kernel "$kind" "$out"
    mark_current "$out/.stamp" "$hash"
    say "done: $out/vmlinux"
}

# The assembly files in which CP0 instructions became macros of two instructions: a macro whose first half
# sits in a branch delay slot would load the page's address only, and that on one path. Nothing else would
# notice before the machine runs.
check_delay_slots()
{
    local found
    found=$(cd "$build/arch/mips" && "$triplet-objdump" -d --no-show-raw-insn kernel/genex.o kernel/entry.o \
        kernel/scall64-n64.o kernel/r4k_switch.o kernel/head.o mm/tlbex-fault.o | awk '
            /file format/ { file = $1; branch = 0 }
            /^ *[0-9a-f]+:/ {
                if (branch && $2 == "lui" && $3 ~ /,0xdfff$/) print file " " $1
                branch = $2 ~ /^(b|bal|beq|beqz|bne|bnez|bltz|bgez|blez|bgtz|bltzal|bgezal|j|jr|jal|jalr)(\.hb)?$/
            }')
    [ -z "$found" ] || die "a register page access stands in a branch delay slot: $(echo $found)"
}

# An instruction that traps between LL and SC would make the loop around them endless.
check_llsc()
{
    local found
    found=$("$triplet-objdump" -d --no-show-raw-insn "$build/vmlinux" | "$here/check-llsc.py") ||
        die "not fit for the monitor: ${found:-$here/check-llsc.py failed}"
}

compile_kernel()
{
    local kind=$1 out=$2 of
    mkdir -p "$build"
    wanted_options "$kind" >"$build/wanted.tmp"
    if ! cmp -s "$build/wanted.tmp" "$build/wanted.config" || [ ! -f "$build/.configured" ] ||
        [ -n "$(find "$tree/arch/mips/disco" -name Kconfig -newer "$build/.configured" 2>/dev/null)" ]; then
        rm -f "$build/.configured"
        mv "$build/wanted.tmp" "$build/wanted.config"
        say "configuring"
        run_logged "$out/configure.log" "" "" configure_kernel
        touch "$build/.configured"
    fi
    rm -f "$build/wanted.tmp"
    of=$(objects_of "$kind")
    [ ! -f "$build/vmlinux.o" ] || of=
    say "compiling (log: $out/build.log)"
    run_logged "$out/build.log" '^  \(CC\|AS\) ' "$of" kernel_make -j "$jobs" vmlinux
    ! grep -qx CONFIG_DISCO_PRIV_PAGE=y "$build/.config" || check_delay_slots
    [ "$kind" != disco ] || check_llsc
    cp "$build/System.map" "$out/System.map"
    cp "$build/vmlinux" "$out/vmlinux.debug"
    "$triplet-strip" -o "$out/vmlinux.tmp" "$build/vmlinux"
    mv "$out/vmlinux.tmp" "$out/vmlinux"
}

# Two byte orders built at the same time share the sources: one prepares them at a time.
lock_sources()
{
    exec 8>"$src/.lock"
    flock 8
}

unlock_sources()
{
    exec 8>&-
}
