# SPDX-License-Identifier: BSD-2-Clause
"""The machine's network as the launcher makes it: forwards, addresses, and who has a port."""

import socket
import unittest
from unittest import mock

from launcher import network, plan, run
from launcher.say import Failure


class Forwards(unittest.TestCase):
    def refused(self, words, *texts, kind=network.USER, names=("vm0", "vm1"), connected=("vm0",)):
        with self.assertRaisesRegex(Failure, words) as caught:
            network.check_forwards(network.forwards_of(texts, kind), names, connected)
        self.assertRegex(str(caught.exception), r"\A--forward[ :][^\n]+\Z")

    def test_good(self):
        one, two = network.forwards_of(["8080:vm1:80", "1:my-web_2:65535"], network.USER)
        self.assertEqual((one.port, one.vm, one.to), (8080, "vm1", 80))
        self.assertEqual((two.port, two.vm, two.to), (1, "my-web_2", 65535))

    def test_form(self):
        for text in ("", "80", "80:vm0", "80:vm0:", ":vm0:80", "80::80", "0:vm0:80", "80:vm0:0", "65536:vm0:80", "80:vm0:65536",
                     "80:vm0:80:80", "-1:vm0:80", "80:vm0:80 ", "8o:vm0:80", "1.2.3.4:80:vm0:80", "٣:vm0:80", "999999:vm0:1"):
            self.refused("write PORT:VM:PORT", text)

    def test_needs_the_way_out(self):
        for kind in ("", network.NONE, network.PRIVATE):
            self.refused("needs --net user", "8080:vm0:80", kind=kind)
            self.assertEqual(network.forwards_of([], kind), [])

    def test_one_port_twice(self):
        self.refused("port 8080 is forwarded already", "8080:vm0:80", "8080:vm0:81")

    def test_who_is_there(self):
        self.refused("no virtual machine vm2; there are: vm0 vm1", "8080:vm2:80")
        self.refused("vm1 has no network", "8080:vm1:80")

    def test_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refused(f"port {port} of this computer: Address already in use", f"{port}:vm0:80")
            with socket.socket() as client:     # leaves a connection behind that waits for stragglers
                client.connect(("127.0.0.1", port))
                taken.accept()[0].close()
        network.check_forwards(network.forwards_of([f"{port}:vm0:80"], network.USER), ["vm0"], ["vm0"])

    def test_what_qemu_gets(self):
        words = network.qemu_arguments(network.forwards_of(["8080:b:80", "2222:a:22"], network.USER), ["a", "b"])
        self.assertEqual(words, ["-netdev", "user,id=n0,net=10.0.2.0/24,ipv4=on,ipv6=on,"
                                 "hostfwd=tcp:127.0.0.1:8080-10.0.2.17:80,hostfwd=tcp:127.0.0.1:2222-10.0.2.16:22",
                                 "-device", "virtio-net-pci,netdev=n0,disable-legacy=on,romfile=,addr=0x1a"])


class Planned(unittest.TestCase):
    """Who has a port and knows its address. Nothing is built here."""

    def planned(self, **wishes):
        with mock.patch.object(plan, "built", lambda wish, endian, makers, drives, net: (makers, net)):
            return plan.plan(run.Wish(**wishes))

    def test_linux(self):
        makers, net = self.planned(vms=2, append="x=1")
        self.assertEqual(net, [])
        self.assertEqual([maker.net for maker in makers], [True, True])
        self.assertTrue(makers[1].append.endswith(" disco.ip=10.0.2.17/24 disco.hosts=vm0,vm1 x=1"), makers[1].append)

    def test_way_out(self):
        makers, net = self.planned(net=network.USER)
        self.assertIn("disco.ip=10.0.2.16/24 disco.hosts=vm0 disco.gw=10.0.2.2", makers[0].append)
        self.assertEqual(net[0], "-netdev")

    def test_none(self):
        makers, net = self.planned(net=network.NONE)
        self.assertEqual((makers[0].net, net), (False, []))
        self.assertNotIn("disco.", makers[0].append)

    def test_tiny_guests_have_it_if_asked_for(self):
        for kind, wanted in (("", False), (network.NONE, False), (network.PRIVATE, True), (network.USER, True)):
            makers, _ = self.planned(guest="hello", net=kind)
            self.assertEqual((makers[0].net, makers[0].append), (wanted, ""))


if __name__ == "__main__":
    unittest.main()
