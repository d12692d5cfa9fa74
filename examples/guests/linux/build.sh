#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds the Linux guest from Debian's sources: kernels (on the monitor, and native), a static BusyBox, and SQLite.
# Every step is stamped with a hash of what it depends on, and its result appears by rename: what is there is
# complete, what is missing is made at the next start.

set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS ARCH CROSS_COMPILE KBUILD_OUTPUT KCONFIG_CONFIG CC LD CFLAGS LDFLAGS

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../../.." && pwd)

. "$here/common.sh"
. "$here/sources.sh"
. "$here/kernel.sh"
. "$here/busybox.sh"
. "$here/sqlite.sh"

usage()
{
    cat <<END
usage: build.sh --endian little|big --kind disco|native|busybox|sqlite|initramfs|image|all --out DIR [options]

  disco     kernel with the overlay, a guest of the monitor:  DIR/vmlinux, vmlinux.debug, System.map
  native    kernel as Debian ships it, for the bare machine:  DIR/vmlinux, vmlinux.debug, System.map
  busybox   static user land:                                 DIR/root/
  sqlite    the static shell of SQLite:                       DIR/sqlite3
  initramfs BusyBox (in DIR/busybox), SQLite (in DIR/sqlite), test programs and init: DIR/initramfs.gz
  image     the same as a disk: DIR/root.img (ext2), and for guests that have their root there the initramfs that
            mounts it: DIR/start.gz; makes DIR/initramfs.gz on the way
  all       the kernels in DIR/disco and DIR/native, the initramfs and the image in DIR

  --src DIR        where sources are unpacked, shared by byte orders and kinds (default: DIR/src)
  --jobs N         parallel compilations (default: number of processors)
  --set NAME=y|n   change one kernel option, e.g. --set DISCO_PRIV_PAGE=n (may be repeated)

Environment: DISCO_LINUX_SOURCE=TARBALL instead of the package linux-source-6.1,
             DISCO_BUSYBOX_SOURCE=FILE.dsc|TARBALL and DISCO_SQLITE_SOURCE=FILE.dsc|TARBALL instead of Debian's source
             packages (all for work without a network)
END
}

endian= kind= out= src= jobs=$(nproc) settings=()

parse_arguments()
{
    while [ $# -gt 0 ]; do
        case $1 in
        --help | -h) usage; exit 0 ;;
        --endian | --kind | --out | --src | --jobs | --set)
            [ $# -ge 2 ] || die "$1 needs a value"
            case $1 in
            --endian) endian=$2 ;;
            --kind) kind=$2 ;;
            --out) out=$2 ;;
            --src) src=$2 ;;
            --jobs) jobs=$2 ;;
            --set) settings+=("$2") ;;
            esac
            shift 2 ;;
        *) die "unknown argument '$1' (see --help)" ;;
        esac
    done
    case $endian in
    little) triplet=mipsisa64r6el-linux-gnuabi64 ;;
    big) triplet=mipsisa64r6-linux-gnuabi64 ;;
    *) die "--endian must be little or big" ;;
    esac
    case $kind in
    disco | native | busybox | sqlite | initramfs | image | all) ;;
    *) die "--kind must be disco, native, busybox, sqlite, initramfs, image or all" ;;
    esac
    [[ $jobs =~ ^[1-9][0-9]*$ ]] || die "--jobs must be a number"
    [ -n "$out" ] || die "--out is missing"
    for s in ${settings[@]+"${settings[@]}"}; do
        [[ $s =~ ^[A-Z0-9_]+=[yn]$ ]] || die "--set wants NAME=y or NAME=n, not '$s'"
    done
    mkdir -p "$out" && out=$(cd "$out" && pwd)
    src=${src:-$out/src}
    mkdir -p "$src" && src=$(cd "$src" && pwd)
}

build_one()
{
    local kind=$1 out=$2
    mkdir -p "$out"
    with_lock "$out/.lock"
    case $kind in
    busybox) build_busybox "$out" ;;
    sqlite) build_sqlite "$out" ;;
    *) build_kernel "$kind" "$out" ;;
    esac
    unlock
}

build_initramfs()
{
    build_one busybox "$1/busybox"
    build_one sqlite "$1/sqlite"
    "$here/mkinitramfs.sh" --endian "$endian" --busybox "$1/busybox" --sqlite "$1/sqlite" --out "$1/initramfs.gz"
}

build_image()
{
    build_initramfs "$1"
    "$here/mkimage.sh" --root "$1/initramfs.gz.d/root" --out "$1/root.img"
    "$here/mkstart.sh" --endian "$endian" --out "$1/start.gz"
}

main()
{
    parse_arguments "$@"
    check_tools
    trap stop_children EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    case $kind in
    initramfs) build_initramfs "$out" ;;
    image) build_image "$out" ;;
    all)
        build_one disco "$out/disco"
        build_one native "$out/native"
        build_image "$out"
        ;;
    *) build_one "$kind" "$out" ;;
    esac
}

main "$@"
