#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes the guest's initramfs: BusyBox and SQLite as build.sh left them, the test programs of userland/, the thin
# OS's program, scripts/, and init.

set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"

usage()
{
    cat <<END
usage: mkinitramfs.sh --endian little|big --busybox DIR --sqlite DIR --out FILE

  --busybox DIR   what "build.sh --kind busybox --out DIR" made
  --sqlite DIR    what "build.sh --kind sqlite --out DIR" made
  --out FILE      the archive (newc, gzip); FILE.d beside it holds the compiled programs, and the tree as root/
END
}

endian= busybox= sqlite= out=
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage; exit 0 ;;
    --endian | --busybox | --sqlite | --out)
        [ $# -ge 2 ] || die "$1 needs a value"
        case $1 in
        --endian) endian=$2 ;;
        --busybox) busybox=$2 ;;
        --sqlite) sqlite=$2 ;;
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
[ -x "$busybox/root/bin/busybox" ] || die "no BusyBox in '$busybox': run build.sh --kind busybox first"
[ -x "$sqlite/sqlite3" ] || die "no SQLite in '$sqlite': run build.sh --kind sqlite first"
need cpio cpio
need gzip gzip
need "$triplet-gcc" "gcc-$triplet"

label="initramfs $endian"
mkdir -p "$(dirname "$out")"
out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
work=$out.d
mkdir -p "$work"
with_lock "$work/.lock"

thin=$here/../thin
hash=$(hash_inputs "$here/mkinitramfs.sh" "$here/init" "$here"/userland/* "$here"/scripts/* "$thin"/*.[ch] \
    "$busybox/root/bin/busybox" "$sqlite/sqlite3" -- "$endian" "$($triplet-gcc --version | head -n 1)")
if is_current "$work/.stamp" "$hash" && [ -f "$out" ]; then
    say "up to date"
    exit 0
fi
rm -f "$work/.stamp"
rm -rf "$work/root"
cp -a "$busybox/root" "$work/root"
cd "$work/root"
rm -f linuxrc
mkdir -p proc sys dev tmp run mnt root etc disco var/lib/nfs
cp "$here/init" init
install -m 755 "$here"/scripts/* "$sqlite/sqlite3" bin
chmod 755 init
echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
echo 'root:x:0:' >etc/group
# What differs from machine to machine is not on a disk that they share.
ln -s /run/hosts etc/hosts
ln -s /run/resolv.conf etc/resolv.conf

say "compiling the test programs"
# No fused arithmetic: results are the same on every machine.
flags=(-std=gnu11 -O2 -ffp-contract=off -Wall -Wextra -Werror -pthread)
objects=()
for source in "$here"/userland/*.c; do
    name=$(basename "$source" .c)
    rename=()
    [ "$name" = programs ] || rename=("-Dmain=${name}_main")
    "$triplet-gcc" "${flags[@]}" ${rename[@]+"${rename[@]}"} -c -o "$work/$name.o" "$source" ||
        die "userland/$name.c does not compile"
    objects+=("$work/$name.o")
    # A file without a main() is a part of another program.
    ! grep -q '^int main(' "$source" || [ "$name" = programs ] || ln -sf guestprograms "bin/$name"
done
# The program of the thin OS, which radix.c calls.
for part in on_linux radix sort; do
    "$triplet-gcc" "${flags[@]}" -c -o "$work/thin-$part.o" "$thin/$part.c" || die "../thin/$part.c does not compile"
    objects+=("$work/thin-$part.o")
done
"$triplet-gcc" -static -s -pthread -o bin/guestprograms "${objects[@]}" -lm || die "the test programs do not link"

say "packing"
find . -exec touch -h -d @0 {} +
find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet | gzip -n -9 >"$out.tmp"
mv "$out.tmp" "$out"
mark_current "$work/.stamp" "$hash"
say "done: $out"
