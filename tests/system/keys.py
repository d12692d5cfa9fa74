# SPDX-License-Identifier: BSD-2-Clause
"""Keys for radix, the thin OS's program: as it makes them, as a file on a disk, and what it says when it has sorted them."""

import struct
import subprocess

WORD, LONG = (1 << 32) - 1, (1 << 64) - 1
PAGE = 4096


def made(count, seed=1):
    return [made_key(seed, place) for place in range(count)]


def made_key(seed, place):
    x = ((seed << 32 | place) + 0x9E3779B97F4A7C15) & LONG
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & LONG
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & LONG
    return (x ^ x >> 31) & WORD


def weighed(keys):
    """A sum that tells the order of the keys, too."""
    return sum(key * (place + 1) for place, key in enumerate(sorted(keys))) & LONG


def done(keys):
    """The last line that radix prints."""
    return f"radix: sorted, weighed sum {weighed(keys)}"


def as_bytes(keys):
    return struct.pack(f"<{len(keys)}I", *keys)


def image(path, tree, size):
    """An ext2 image of a folder, with the blocks that the thin OS reads."""
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext2", "-b", str(PAGE), "-d", tree, path, size], check=True, timeout=60,
                   stdout=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"})
