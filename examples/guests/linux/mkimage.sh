#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes the guest's root file system: an ext2 image of the tree that mkinitramfs.sh packs. The same tree gives the same
# image, whoever makes it and whenever.

set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"

# Room for what guests write; what is empty takes none on the disk.
size=96M
# Any will do that does not change: the file system's name, and what its names are hashed with.
uuid=d15c0d15-c0d1-45c0-8d15-c0d15c0d15c0

usage()
{
    cat <<END
usage: mkimage.sh --root DIR --out FILE

  --root DIR      the tree, what mkinitramfs.sh left in its FILE.d/root
  --out FILE      the image (ext2, blocks of 4 KiB, sparse)
END
}

root= out=
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage; exit 0 ;;
    --root | --out)
        [ $# -ge 2 ] || die "$1 needs a value"
        case $1 in
        --root) root=$2 ;;
        --out) out=$2 ;;
        esac
        shift 2 ;;
    *) die "unknown argument '$1' (see --help)" ;;
    esac
done
[ -n "$out" ] || die "--out is missing"
[ -x "$root/init" ] || die "no tree in '$root': run mkinitramfs.sh first"
PATH=$PATH:/usr/sbin:/sbin
need mke2fs e2fsprogs
need debugfs e2fsprogs

label=image
mkdir -p "$(dirname "$out")"
with_lock "$(dirname "$out")/.$(basename "$out").lock"

# All that the tree is: names, kinds, rights, times and contents.
tree_of()
{
    (cd "$root" && find . -printf '%P %y %m %l %T@\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

# mke2fs takes owners and times of inodes from this machine's files: here they become root's, and 0.
commands_to_settle()
{
    local path field
    (cd "$root" && find . -printf '/%P\n' && echo /lost+found) | while read -r path; do
        for field in uid gid atime ctime mtime; do echo "sif \"$path\" $field 0"; done
    done
}

hash=$(hash_inputs "$here/mkimage.sh" -- "$(tree_of)" "$(mke2fs -V 2>&1 | head -n 1)")
stamp=$(dirname "$out")/.$(basename "$out").made
if is_current "$stamp" "$hash" && [ -f "$out" ]; then
    say "up to date"
    exit 0
fi
rm -f "$stamp" "$out.tmp"
say "making the file system"
# Without a configuration of the machine's own, and at a time that does not change.
export MKE2FS_CONFIG=/dev/null E2FSPROGS_FAKE_TIME=1767225600
mke2fs -q -t ext2 -b 4096 -m 0 -N 8192 -O filetype,sparse_super,large_file,dir_index -d "$root" -U "$uuid" \
    -E hash_seed="$uuid",root_owner=0:0 "$out.tmp" "$size" >"$out.log" 2>&1 ||
    die "mke2fs failed: $(tail -n 1 "$out.log") (log: $out.log)"
commands_to_settle | debugfs -w -f - "$out.tmp" >"$out.log" 2>&1
e2fsck -fn "$out.tmp" >"$out.log" 2>&1 || die "the image is not sound (log: $out.log)"
mv "$out.tmp" "$out"
mark_current "$stamp" "$hash"
say "done: $out"
