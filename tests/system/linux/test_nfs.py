# SPDX-License-Identifier: BSD-2-Clause
"""NFS between virtual machines: one serves a file, the others read it, and one page of machine memory is all of theirs."""

import unittest

from harness import BOOT, Running, leaked, in_one_order

MIB = 1 << 20
CLIENTS, SIZE = 3, 16
SERVER = ("iocheck write /tmp/file 5 {size} >/dev/null && mkdir -p /tmp/served && mv /tmp/file /tmp/served && "
          "nfs-serve /tmp/served {clients} && echo serves; sleep 1000")
CLIENT = ("nfs-mount 10.0.2.16 /mnt && echo mounted; until [ -e /tmp/go ]; do sleep 1; ping -c 1 -W 1 10.0.2.16 >/dev/null; "
          "[ ! -e /mnt/file ] || touch /tmp/go; done; iocheck check /mnt/file 5 {size} && echo has read; sleep 1000")


def command(clients, size):
    addresses = " ".join(f"10.0.2.{17 + number}" for number in range(clients))
    return (f"case $(hostname) in vm0) {SERVER.format(size=size, clients=addresses)};; "
            f"*) {CLIENT.format(size=size)};; esac")


def shared_by_all(first, last):
    return (first["machine"]["pages_free"] - last["machine"]["pages_free"]) * 4096 / MIB


class Nfs(unittest.TestCase):
    def test_one_copy(self):
        """The file is in memory about once, however many have read it, and reads right in all of them."""
        with Running("--vms", CLIENTS + 1, "--mem", "96M", "--smp", 2, "--monitor-append", "stay", "--exec",
                     command(CLIENTS, SIZE)) as running:
            running.until(lambda: running.so_far().out.count(b": mounted\n") == CLIENTS, BOOT, "mounts")
            before = running.stats()
            running.until(lambda: running.so_far().out.count(b": has read\n") == CLIENTS, 2 * BOOT, "readers")
            after = running.stats()
            remapped = sum(after["vms"][f"vm{number + 1}"]["remap_pages"] for number in range(CLIENTS))
            self.assertGreater(remapped, CLIENTS * SIZE * 256 * 9 // 10)
            # All clients together have less of their own than one copy of the file would be.
            self.assertLess(shared_by_all(before, after), SIZE)
            for number in range(CLIENTS + 1):
                running.ask(f"vm stop vm{number}")
            self.assertEqual(leaked(running.all_off()), 0)

    @in_one_order
    def test_writers_are_alone(self):
        """Whoever changes what it has read changes its own: the server's file, and the others', stay what they are."""
        change = ("cp /mnt/file /tmp/mine && dd if=/dev/zero of=/tmp/mine bs=4k count=100 conv=notrunc 2>/dev/null && "
                  "echo 3 >/proc/sys/vm/drop_caches && iocheck check /mnt/file 5 4 && echo sound; sleep 1000")
        client = f"nfs-mount 10.0.2.16 /mnt && until [ -e /mnt/file ]; do sleep 1; done; {change}"
        server = ("mkdir -p /tmp/served && iocheck write /tmp/served/file 5 4 >/dev/null && nfs-serve /tmp/served "
                  "10.0.2.17 10.0.2.18 && while sleep 2; do iocheck check /tmp/served/file 5 4 || echo broken; done")
        with Running("--vms", 3, "--mem", "96M", "--smp", 2, "--monitor-append", "stay", "--exec",
                     f"case $(hostname) in vm0) {server};; *) {client};; esac") as running:
            running.until(lambda: running.so_far().out.count(b": sound\n") == 2, 2 * BOOT, "two that are sound")
            looked = running.so_far().out.count(b"vm0: iocheck check: all as it should be")
            running.until(lambda: running.so_far().out.count(b"vm0: iocheck check: all as it should be") > looked, BOOT,
                          "server's file, sound")
            self.assertNotRegex(running.so_far().out, b"wrong|broken")
            for number in range(3):
                running.ask(f"vm stop vm{number}")
            self.assertEqual(leaked(running.all_off()), 0)
