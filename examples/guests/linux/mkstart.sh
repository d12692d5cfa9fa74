#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes the initramfs of guests whose root file system is on a disk: the program of start/, and the folders it needs.

set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"

usage()
{
    cat <<END
usage: mkstart.sh --endian little|big --out FILE

  --out FILE      the archive (newc, gzip)
END
}

endian= out=
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage; exit 0 ;;
    --endian | --out)
        [ $# -ge 2 ] || die "$1 needs a value"
        case $1 in
        --endian) endian=$2 ;;
        --out) out=$2 ;;
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
[ -n "$out" ] || die "--out is missing"
need cpio cpio
need gzip gzip
need "$triplet-gcc" "gcc-$triplet"

label="start $endian"
mkdir -p "$(dirname "$out")"
out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
work=$out.d
mkdir -p "$work"
with_lock "$work/.lock"

hash=$(hash_inputs "$here/mkstart.sh" "$here"/start/* -- "$endian" "$($triplet-gcc --version | head -n 1)")
if is_current "$work/.stamp" "$hash" && [ -f "$out" ]; then
    say "up to date"
    exit 0
fi
rm -f "$work/.stamp"
rm -rf "$work/root"
mkdir -p "$work"/root/{dev,proc,root,disco}
"$triplet-gcc" -std=gnu11 -O2 -Wall -Wextra -Werror -static -s -o "$work/root/init" "$here/start/start.c" ||
    die "start/start.c does not compile"
cd "$work/root"
find . -exec touch -h -d @0 {} +
find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet | gzip -n -9 >"$out.tmp"
mv "$out.tmp" "$out"
mark_current "$work/.stamp" "$hash"
say "done: $out"
