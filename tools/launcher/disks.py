# SPDX-License-Identifier: BSD-2-Clause
"""The disks of a machine: images on this computer, which are checked and locked before anything is built.

An image that is written to belongs to one ./disco run; one that is only read may have many readers. The lock is
the open file's: QEMU inherits it with the descriptor, so that it lasts as long as anybody can write.
"""

import fcntl
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from . import vmconf
from .say import Failure

BUNDLED = "root"    # what `image` calls the bundled root file system
BLOCK = 4096
FIRST_SLOT = 0x12   # of the board's PCI bus, where the machine's block devices begin

WORDS = {"private": ("visible", False), "visible": ("visible", True), "keep": ("keep", True), "lost": ("keep", False),
         "copy": ("copy", True)}
SIZES = ("size", "log")


@dataclass
class Disk(vmconf.Disk):
    """A disk with its image. `where` begins messages about it."""
    image: str = BUNDLED
    size: int = 0         # bytes; of an image that is still to be made
    where: str = ""
    file: object = field(default=None, repr=False)

    @property
    def bundled(self):
        return self.image == BUNDLED

    @property
    def written(self):
        """Whether the image itself changes. All else that guests write is kept beside it."""
        return self.visible and self.keep

    def failure(self, what):
        return Failure(f"{self.where}: {what}")

    def open(self, path=None):
        """Open and lock the image, or that at `path`. Raises Failure if it is none."""
        try:
            descriptor = self.descriptor(path or self.image)
            self.file = os.fdopen(descriptor, "rb", buffering=0)
            self.check()
        except OSError as error:
            raise self.failure(error.strerror) from None

    def descriptor(self, path):
        # An image could turn out to be a pipe, which must not keep us.
        flags = (os.O_RDWR if self.written else os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            if not self.size:
                hint = " (size=SIZE makes one)" if self.keep else ""
                raise self.failure(f"No such file or directory{hint}") from None
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        os.ftruncate(descriptor, self.size)
        return descriptor

    def check(self):
        found = os.fstat(self.file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise self.failure("is not a regular file")
        if found.st_size < BLOCK:
            raise self.failure(f"is no disk image: {found.st_size} bytes long, a disk has at least {BLOCK}")
        if found.st_size % BLOCK:
            raise self.failure(f"is no whole disk image: {found.st_size} bytes long, no multiple of {BLOCK}")
        if self.size not in (0, found.st_size):
            raise self.failure(f"is there, and {vmconf.size(found.st_size)} long instead of {vmconf.size(self.size)}")

    def lock(self):
        try:
            fcntl.flock(self.file, (fcntl.LOCK_EX if self.written else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self.failure("is in use by another ./disco run") from None

    def identity(self):
        found = os.fstat(self.file.fileno())
        return found.st_dev, found.st_ino


# --- from what a person writes ---

def of_option(text, taken=()):
    """FILE[,private|visible][,keep|lost][,size=SIZE][,log=SIZE][,copy]; commas elsewhere belong to the file's name."""
    option = f"--disk {text}"
    image, words = split_option(text)
    disk = Disk(name_for(image, taken), visible=True, keep=True)
    seen = set()
    for word in words:
        key, value = parse_word(option, word)
        if key in seen:
            raise Failure(f"{option}: says twice what becomes of changes, or how large something is", 2)
        seen.add(key)
        setattr(disk, key, value)
    if not image:
        raise Failure(f"{option}: no file is named", 2)
    # A file of this computer may well be called what the bundled image is.
    disk.image, disk.where = os.path.join(".", image) if image == BUNDLED else image, f"--disk {image}"
    checked(disk)
    return disk


def split_option(text):
    words = []
    while True:
        head, comma, last = text.rpartition(",")
        if not comma or not (last in WORDS or last.partition("=")[0] in SIZES):
            return text, words[::-1]
        words.append(last)
        text = head


def parse_word(option, word):
    if word in WORDS:
        return WORDS[word]
    key, _, value = word.partition("=")
    count = parse_size(value, f"{option}: {key} =")
    if key == "log" and count > vmconf.MOST_LOG:
        raise Failure(f"{option}: log = {value}: at most {vmconf.size(vmconf.MOST_LOG)}")
    return key, count


def parse_size(text, what):
    count = vmconf.parse_memory(text, what)
    if not count or count % BLOCK:
        raise Failure(f"{what} {text}: a multiple of 4K is wanted")
    return count


def of_section(section, folder):
    """The disk that a section of a person's file describes."""
    values = section.values
    image = values["image"]
    disk = Disk(section.name, values.get("changes", False), values.get("keep", False), values.get("copy", False),
                values.get("log", 0), image, values.get("size", 0), f"{section.where('image')}: image = {image}")
    if not disk.bundled:
        disk.image = str(folder / image)
    checked(disk)
    return disk


def checked(disk):
    """Refuse what contradicts itself."""
    if disk.bundled and disk.keep:
        raise disk.failure("changes to the bundled image are never kept")
    if disk.size and not disk.keep:
        raise disk.failure("size is for disks whose changes are kept")


def name_for(image, taken):
    """A name for a disk that has none, from that of its image."""
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", Path(image).stem)[:vmconf.LONGEST_NAME - 4] or "image"
    if vmconf.reserved(stem):
        stem = f"_{stem}"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


# --- all of a machine ---

def open_all(disks):
    """Open the images that are there before anything is built; each is then ours."""
    check_number(disks)
    for disk in disks:
        if not disk.bundled:
            disk.open()
            check_apart(disk, disks)
            disk.lock()


def check_number(disks):
    if len(disks) > vmconf.MOST_DISKS:
        raise Failure(f"{disks[-1].where or 'the bundled root image'}: too many disks, a machine has at most "
                      f"{vmconf.MOST_DISKS}")


def check_apart(disk, disks):
    """Two disks of one machine may show one image only if nobody changes it."""
    for other in disks[:disks.index(disk)]:
        if other.file and other.identity() == disk.identity() and (disk.written or other.written):
            raise disk.failure(f"is the image of the disk {other.name} as well, and changes to it are kept")


def close_all(disks):
    for disk in disks:
        if disk.file:
            disk.file.close()


def qemu_arguments(disks, slot=FIRST_SLOT):
    """Block devices in the order of the disks, each in a slot of its own, read through inherited descriptors."""
    words = []
    for unit, disk in enumerate(disks):
        # What goes wrong is told to the monitor, and so to the guest; QEMU's own way is to stop the machine.
        words += ["-drive", f"if=none,id=d{unit},file=/proc/self/fd/{disk.file.fileno()},format=raw,cache=writeback,"
                  "werror=report,rerror=report" + ("" if disk.written else ",readonly=on"),
                  "-device", f"virtio-blk-pci,drive=d{unit},addr={slot + unit:#x},disable-legacy=on"]
    return words
