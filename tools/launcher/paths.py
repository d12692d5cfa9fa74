# SPDX-License-Identifier: BSD-2-Clause
"""Where things are in the tree, and where what is built goes."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DISCO_BUILD") or ROOT / "build").absolute()

LITTLE, BIG = "little", "big"
ENDIANS = (LITTLE, BIG)
SHORT = {LITTLE: "el", BIG: "eb"}


def cross_build(endian):
    """Build directory of everything that runs on the MIPS machine without an operating system."""
    return BUILD / f"mips64{SHORT[endian]}"


def guest_build(endian):
    """Build directory of the Linux guest: kernels, user land, initramfs."""
    return BUILD / "guest" / SHORT[endian]


def shown(path):
    """A path as a person wants to read it: relative to the tree when it is inside."""
    path = Path(path)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
