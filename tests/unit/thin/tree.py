#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tree.py MKE2FS TREE IMAGE WORDS...: fill the folder TREE and make an ext2 image of it, WORDS to mke2fs."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

BLOCK = 4096
# Around where a file's numbers of blocks go to another level, and at odd places.
SIZES = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 12 * BLOCK, 12 * BLOCK + 1, 1000003, (12 + 1024) * BLOCK, (12 + 1024) * BLOCK + 1,
         (12 + 1024 + 1024) * BLOCK + 5)
SIZE = "48M"


def fill(tree, dice):
    for size in SIZES:
        (tree / f"size-{size}").write_bytes(dice.randbytes(size))
    deep = tree / "a" / "folder" / "in" / "a" / "folder"
    deep.mkdir(parents=True)
    (deep / "file").write_text("deep\n")
    (deep / ("n" * 255)).write_text("long\n")
    (tree / "link").symlink_to("size-1")
    many = tree / "many"
    many.mkdir()
    for number in range(1500):
        (many / f"{number:x}{'-' * dice.randrange(30)}").write_bytes(dice.randbytes(number % 7))
    with open(tree / "sparse", "wb") as file:
        for place in (5, 40, 900, 1400, 3000):
            file.seek(place * BLOCK + 77)
            file.write(dice.randbytes(2 * BLOCK))
        file.truncate(3500 * BLOCK)


def main(mke2fs, tree, image, *words):
    tree, image = Path(tree), Path(image)
    shutil.rmtree(tree, ignore_errors=True)
    image.unlink(missing_ok=True)
    tree.mkdir(parents=True)
    fill(tree, random.Random(1))
    subprocess.run([mke2fs, "-q", "-F", "-b", str(BLOCK), *words, "-d", tree, image, SIZE],
                   stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
