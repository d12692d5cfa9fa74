# SPDX-License-Identifier: BSD-2-Clause
"""Guests: the Linux kernels and user land, built once, and the tiny guests of the cross build."""

import hashlib
from pathlib import Path

from . import procs
from .build import JOBS
from .paths import BUILD, ROOT, cross_build, guest_build, shown
from .say import Failure

LINUX = ROOT / "examples" / "guests" / "linux"
SOURCES = BUILD / "guest" / "src"
# Its program is one of the user land, too.
THIN = ROOT / "examples" / "guests" / "thin"
# What the kernel overlay takes from our own headers.
ABI = (ROOT / "include" / "disco" / "calls.h", ROOT / "include" / "disco" / "io.h",
       ROOT / "backends" / "mips64" / "abi.h")
DISCO, NATIVE = "disco", "native"
BUILD_TIMEOUT = 3600

# What each kernel is told before the person's --append.
COMMAND_LINE = {
    DISCO: "console=hvc0 rdinit=/init quiet",
    # Counts of different processors differ by seconds on this QEMU: the GIC's counter is the one clock they share.
    NATIVE: "console=ttyS0,115200 rdinit=/init clocksource=GIC panic=-1 quiet",
}

# Where the root file system of the monitor's guests is: --root, and what is meant without it.
DISK, INITRAMFS = "disk", "initramfs"
ROOT_FILES = DISK


def kernel(endian, kind):
    """The Linux kernel of `kind` (DISCO or NATIVE), built when its source changed."""
    out = guest_build(endian) / kind
    return made(out / "vmlinux", f"the Linux kernel ({kind}, {endian} endian)", [build_command(endian, kind, out)])


def initramfs(endian):
    """The compressed initramfs with BusyBox, SQLite and the test programs; the same for both kernels."""
    out = guest_build(endian)
    image, busybox, sqlite = out / "initramfs.gz", out / "busybox", out / "sqlite"
    return made(image, f"the guest's user land ({endian} endian)", [
        build_command(endian, "busybox", busybox), build_command(endian, "sqlite", sqlite),
        [LINUX / "mkinitramfs.sh", "--endian", endian, "--busybox", busybox, "--sqlite", sqlite, "--out", image]])


def root_image(endian):
    """The same user land as the image of a disk, which is only ever read."""
    return from_image_build(endian, "root.img", "the guest's root file system")


def start(endian):
    """The compressed initramfs of guests with their root on a disk: it mounts that."""
    return from_image_build(endian, "start.gz", "what mounts the guest's root file system")


def from_image_build(endian, name, what):
    out = guest_build(endian)
    return made(out / name, f"{what} ({endian} endian)", [build_command(endian, "image", out)])


def everything(endian, kinds=(DISCO, NATIVE)):
    """All that belongs to Linux guests, before somebody's time is taken."""
    initramfs(endian)
    if ROOT_FILES == DISK:
        root_image(endian)
        start(endian)
    for kind in kinds:
        kernel(endian, kind)


def build_command(endian, kind, out):
    return [LINUX / "build.sh", "--endian", endian, "--kind", kind, "--out", out, "--src", SOURCES, "--jobs", JOBS]


def made(product, what, commands):
    """Make `product` unless it was made from exactly the files that are there now. Returns its path."""
    stamp = product.with_name(f".{product.name}.stamp")
    key = inputs()
    if product.exists() and stamp.exists() and stamp.read_text() == key:
        return product
    refuse_awkward_path()
    product.parent.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    log = BUILD / "logs" / f"{str(product.relative_to(BUILD)).replace('/', '-')}.log"
    for command in commands:
        procs.step(f"building {what}", command, log, BUILD_TIMEOUT, cwd=ROOT)
    if not product.exists():
        raise Failure(f"the guest's build made no {shown(product)}")
    stamp.write_text(key)
    return product


def inputs():
    """A digest of every file that a guest is built from, names and modes included."""
    digest = hashlib.sha256()
    for path in [*sorted(LINUX.rglob("*")), *sorted(THIN.glob("*.[ch]")), *ABI]:
        if path.is_file():
            digest.update(f"{path.relative_to(ROOT)} {path.stat().st_mode:o}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def refuse_awkward_path():
    """Linux' makefiles take no spaces or colons in a path."""
    for path in (LINUX, BUILD):
        if any(letter in str(path) for letter in " :\t'\""):
            raise Failure(f"{path}: Linux cannot be built in a path with spaces, colons or quotes; "
                          "move the tree, or put the build elsewhere with DISCO_BUILD=DIR")


def as_file(name):
    """The path that --guest gives, or None when it is the name of a tiny guest."""
    return Path(name) if "/" in name or name.endswith(".elf") else None


def tiny_guests(endian):
    """The tiny guests that the cross build made, by name."""
    top = cross_build(endian) / "examples" / "guests"
    return {path.stem: path for path in sorted(top.rglob("*.elf"))}


def tiny(endian, name, option="--guest"):
    """The ELF file of a tiny guest."""
    known = tiny_guests(endian)
    if name not in known:
        raise Failure(f"{option} {name}: there is no such guest; there are: linux {' '.join(known)}; "
                      "or give the path of an ELF file")
    return known[name]
