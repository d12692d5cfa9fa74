# SPDX-License-Identifier: BSD-2-Clause
"""A writer for cpio archives in the "newc" format: the boot archive and additions to an initramfs."""

import stat

TRAILER = "TRAILER!!!"


def archive(files):
    """The archive of `files`, a mapping of name to content; directories on the way to a name are added."""
    parts, number, known = [], 1, set()
    for name, data in files.items():
        for folder in parents(name):
            if folder not in known:
                known.add(folder)
                parts.append(member(folder, b"", stat.S_IFDIR | 0o755, number))
                number += 1
        parts.append(member(name, data, stat.S_IFREG | 0o644, number))
        number += 1
    parts.append(member(TRAILER, b"", 0, 0))
    return b"".join(parts)


def parents(name):
    words = name.split("/")[:-1]
    return ["/".join(words[:count]) for count in range(1, len(words) + 1)]


def member(name, data, mode, number):
    """Header of 13 numbers in hexadecimal, name and content, each padded to four bytes."""
    if len(data) >= 1 << 32:
        raise ValueError(f"{name} is too large for a cpio archive")
    raw_name = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(raw_name), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    return padded(header + raw_name) + padded(data)


def padded(data):
    return data + b"\0" * (-len(data) % 4)
