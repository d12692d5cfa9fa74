#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""freestanding.py NM PKGCONFIG-DIR ARCHIVE...: what each library calls is in itself, in the libraries that its
pkg-config file requires, or one of the four functions that whoever links it provides."""

import subprocess
import sys
from pathlib import Path

GIVEN = {"memcpy", "memmove", "memset", "memcmp", "_GLOBAL_OFFSET_TABLE_"}  # the last is the linker's


def symbols(nm, archive, which):
    done = subprocess.run([nm, which, "--format=posix", "--quiet", archive], capture_output=True, text=True,
                          timeout=60, check=True)
    return {line.split()[0] for line in done.stdout.splitlines() if len(line.split()) > 1}


def required(folder, name):
    """The library itself and everything it requires, directly or not."""
    lines = (folder / f"{name}.pc").read_text().splitlines()
    words = [line.partition(":")[2] for line in lines if line.startswith("Requires:")]
    direct = [word.strip() for line in words for word in line.split(",") if word.strip()]
    return {name}.union(*(required(folder, other) for other in direct))


def main(nm, folder, *archives):
    paths = {Path(archive).stem.removeprefix("lib"): archive for archive in archives}
    defined = {name: symbols(nm, path, "--defined-only") for name, path in paths.items()}
    failed = False
    for name, path in paths.items():
        given = GIVEN.union(*(defined[other] for other in required(Path(folder), name)))
        missing = symbols(nm, path, "--undefined-only") - given
        failed |= bool(missing) or not defined[name]
        print(f"{name}: {'calls ' + ' '.join(sorted(missing)) if missing else 'ok'}, {len(defined[name])} symbols")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
