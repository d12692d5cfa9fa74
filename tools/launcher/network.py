# SPDX-License-Identifier: BSD-2-Clause
"""The network of a machine: addresses on the virtual subnet, and ports of this computer that lead into it."""

import re
import socket
from dataclasses import dataclass

from .say import Failure

NONE, PRIVATE, USER = "none", "private", "user"
KINDS = (NONE, PRIVATE, USER)

# What QEMU's user network has: itself at .2, its names at .3, and all that it gives out itself below .31.
SUBNET, GATEWAY = "10.0.2.0/24", "10.0.2.2"
FIRST_HOST = 16

DEVICE = "virtio-net-pci,netdev=n0,disable-legacy=on,romfile="
MONITORS_SLOT, NATIVE_SLOT = 0x1a, 0x0b


def address(index):
    """Of the virtual machine with this number."""
    return f"10.0.2.{FIRST_HOST + index}"


def kernel_words(index, names, kind):
    """What the bundled Linux is told of the network."""
    words = [f"disco.ip={address(index)}/24", f"disco.hosts={','.join(names)}"]
    return words + ([f"disco.gw={GATEWAY}"] if kind == USER else [])


@dataclass(frozen=True)
class Forward:
    """A TCP port of this computer that leads to one of a virtual machine."""
    port: int
    vm: str
    to: int
    text: str

    @classmethod
    def of(cls, text):
        match = re.fullmatch(r"(\d{1,5}):([^:]+):(\d{1,5})", text, re.ASCII)
        if not match or not all(1 <= int(port) <= 65535 for port in match.group(1, 3)):
            raise Failure(f"--forward {text}: write PORT:VM:PORT, ports from 1 to 65535", 2)
        return cls(int(match[1]), match[2], int(match[3]), text)

    def failure(self, what):
        return Failure(f"--forward {self.text}: {what}")


def forwards_of(texts, kind):
    """Check what was asked for, as far as that can be done without knowing the virtual machines."""
    if texts and kind != USER:
        raise Failure("--forward: there is nothing to forward through, which needs --net user", 2)
    forwards = [Forward.of(text) for text in texts]
    for number, forward in enumerate(forwards):
        if any(forward.port == other.port for other in forwards[:number]):
            raise forward.failure(f"port {forward.port} is forwarded already")
    return forwards


def check_forwards(forwards, names, connected):
    """Refuse those to virtual machines that are not there, or not `connected`, and from ports that are taken."""
    for forward in forwards:
        if forward.vm not in names:
            raise forward.failure(f"no virtual machine {forward.vm}; there are: {' '.join(names)}")
        if forward.vm not in connected:
            raise forward.failure(f"{forward.vm} has no network")
        check_port(forward)


def check_port(forward):
    with socket.socket() as probe:
        # As QEMU will: a port on which nobody listens any more is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", forward.port))
        except OSError as error:
            raise forward.failure(f"port {forward.port} of this computer: {error.strerror}") from None


def qemu_arguments(forwards=(), names=(), slot=MONITORS_SLOT):
    """A network card, and behind it this computer as a guest may see it."""
    rules = [f"hostfwd=tcp:127.0.0.1:{forward.port}-{address(names.index(forward.vm))}:{forward.to}"
             for forward in forwards]
    return ["-netdev", ",".join(["user", "id=n0", f"net={SUBNET}", "ipv4=on", "ipv6=on", *rules]),
            "-device", f"{DEVICE},addr={slot:#x}"]
