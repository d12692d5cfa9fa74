# SPDX-License-Identifier: BSD-2-Clause
"""Disks of the launcher: what is accepted, what is refused before anything is built, who holds which lock."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from launcher import build, disks, guests, plan, run, vmconf, vmsfile
from launcher.exec_ import Exec
from launcher.say import Failure

MIB = 1 << 20


class Options(unittest.TestCase):
    def test_words(self):
        rows = (("a.img", ("a.img", True, True, False, 0, 0)),
                ("a.img,private", ("a.img", False, True, False, 0, 0)),
                ("a.img,visible,lost", ("a.img", True, False, False, 0, 0)),
                ("a.img,lost,private,copy,log=8M", ("a.img", False, False, True, 8 * MIB, 0)),
                ("/x/a,b.img,keep,size=64M", ("/x/a,b.img", True, True, False, 0, 64 * MIB)),
                ("a,private,b,private", ("a,private,b", False, True, False, 0, 0)),
                ("size=1M", ("size=1M", True, True, False, 0, 0)), ("root,lost", ("./root", True, False, False, 0, 0)))
        for text, wanted in rows:
            disk = disks.of_option(text)
            self.assertEqual((disk.image, disk.visible, disk.keep, disk.copy, disk.log, disk.size), wanted, text)

    def test_mistakes(self):
        for text, words in (("", "no file"), (",private", "no file"), ("a,private,visible", "twice"), ("a,lost,lost", "twice"),
                            ("a,size=", "not a memory size"), ("a,size=1K", "multiple of 4K"), ("a,size=0", "multiple of 4K"),
                            ("a,log=2G", "at most 1024M"), ("a,log=much", "not a memory size"),
                            ("a,lost,size=1M", "size is for disks whose changes are kept")):
            with self.assertRaisesRegex(Failure, f"--disk .*{words}", msg=text):
                disks.of_option(text)

    def test_names(self):
        self.assertEqual(disks.name_for("/x/my disk.img", ()), "my_disk")
        self.assertEqual(disks.name_for("a", ["a", "a-2"]), "a-3")
        for image in ("machine", "net.img", "disk", "cpu0.img", "x" * 80, ".", "\udcff", "ä"):
            self.assertTrue(vmsfile.NAME.fullmatch(disks.name_for(image, ())), image)
            self.assertFalse(vmconf.reserved(disks.name_for(image, ())), image)


class Images(unittest.TestCase):
    """Files as images."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.good = self.image("good.img", 8192)

    def image(self, name, size):
        path = self.folder / name
        path.touch()
        os.truncate(path, size)
        return path

    def opened(self, *texts):
        made = [disks.of_option(str(text)) for text in texts]
        self.addCleanup(disks.close_all, made)
        try:
            disks.open_all(made)
        except Failure:
            disks.close_all(made)
            raise
        return made

    def refused(self, words, *texts):
        with self.assertRaisesRegex(Failure, words) as caught:
            self.opened(*texts)
        self.assertRegex(str(caught.exception), r"\A--disk [^\n]+\Z")

    def test_what_is_no_image(self):
        os.mkfifo(self.folder / "pipe")
        for name, size, words in (("empty", 0, "0 bytes long, a disk has at least 4096"), ("short", 4095, "at least 4096"),
                                  ("torn", 8191, "no multiple of 4096"), ("torn2", 4608, "no multiple of 4096")):
            for mode in ("", ",private,lost"):
                self.refused(words, f"{self.image(name, size)}{mode}")
        self.refused(r"No such file or directory \(size=SIZE makes one\)\Z", self.folder / "none")
        self.refused(r"No such file or directory\Z", f"{self.folder}/none,private,lost")
        self.refused("No such file or directory", f"{self.folder}/none/x.img,size=1M")
        for mode in (",private,lost", ""):
            self.refused("not a regular file|Is a directory", f"{self.folder}{mode}")
            self.refused("not a regular file", f"{self.folder / 'pipe'}{mode}")

    def test_no_right_to_write(self):
        real = os.open
        with mock.patch.object(os, "open", lambda path, flags, *mode: self.readonly(real, path, flags, mode)):
            self.refused("Permission denied", self.good)
            self.opened(f"{self.good},private,lost")

    @staticmethod
    def readonly(real, path, flags, mode):
        if flags & os.O_ACCMODE != os.O_RDONLY:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *mode)

    def test_image_is_made(self):
        path = self.folder / "new,old.img"
        self.opened(f"{path},size=64M")[0].file.close()
        self.assertEqual(path.stat().st_size, 64 * MIB)
        self.assertEqual(path.stat().st_blocks, 0)
        path.write_bytes(bytes(4096))
        self.refused("is there, and 4K long instead of 64M", f"{path},size=64M")
        self.opened(f"{path},size=4K")
        self.assertEqual(path.stat().st_size, 4096)

    def test_too_many(self):
        texts = [f"{self.image(f'i{number}', 4096)},private" for number in range(vmconf.MOST_DISKS + 1)]
        self.refused("at most 8", *texts)
        self.assertEqual(len(self.opened(*texts[1:])), 8)

    def test_one_image_twice(self):
        os.link(self.good, self.folder / "same.img")
        (self.folder / "link.img").symlink_to(self.good)
        for other in ("good.img", "same.img", "link.img"):
            self.refused("is the image of the disk good as well", self.good, f"{self.folder / other},private")
            self.refused("is the image of the disk good as well", f"{self.good},lost", self.folder / other)
        self.opened(f"{self.good},lost", f"{self.good},private", f"{self.good},private,lost")

    def test_lock(self):
        readers = self.opened(f"{self.good},private") + self.opened(f"{self.good},visible,lost")
        self.refused("is in use by another ./disco run", self.good)
        disks.close_all(readers)
        writer = self.opened(self.good)
        self.refused("is in use by another ./disco run", self.good)
        self.refused("is in use by another ./disco run", f"{self.good},private,lost")
        disks.close_all(writer)
        self.opened(self.good)

    def test_lock_lasts_as_long_as_the_machine(self):
        """Not only as long as the launcher: what inherits the descriptor holds the lock."""
        disk = self.opened(self.good)[0]
        with subprocess.Popen(["sleep", "60"], pass_fds=[disk.file.fileno()]) as machine:
            disk.file.close()
            self.refused("is in use", self.good)
            machine.kill()
        self.opened(self.good)

    def test_what_qemu_gets(self):
        made = self.opened(self.good, f"{self.image('b', 4096)},private,keep", f"{self.image('c', 4096)},visible,lost")
        words = disks.qemu_arguments(made)
        self.assertEqual(words[0::2], ["-drive", "-device"] * 3)
        drives, devices = words[1::4], words[3::4]
        self.assertEqual(["readonly=on" in drive for drive in drives], [False, True, True])
        for unit, (drive, device) in enumerate(zip(drives, devices)):
            self.assertRegex(drive, rf"\Aif=none,id=d{unit},file=/proc/self/fd/\d+,format=raw,cache=writeback,"
                             r"werror=report,rerror=report(,readonly=on)?\Z")
            self.assertRegex(device, rf"\Avirtio-blk-pci,drive=d{unit},addr={0x12 + unit:#x},disable-legacy=on\Z")


class Planned(unittest.TestCase):
    """Who gets which disk. Nothing is built here."""

    def planned(self, text="", **wishes):
        """The names of the disks, and each virtual machine's with its command line."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a.img", "b.img"):
                (Path(folder) / name).write_bytes(bytes(4096))
            if text:
                (Path(folder) / "vms.conf").write_text(text)
                wishes["file"] = f"{folder}/vms.conf"
            wishes["disk"] = [word.replace("@", folder) for word in wishes.get("disk", [])]
            with mock.patch.object(plan, "built", lambda wish, endian, makers, drives, net: (makers, drives)):
                makers, drives = plan.plan(run.Wish(**wishes))
            disks.close_all(drives)
        return [disk.name for disk in drives], [(maker.disks, maker.append) for maker in makers]

    def refused(self, words, *arguments, **wishes):
        with self.assertRaisesRegex(Failure, words):
            self.planned(*arguments, **wishes)

    def test_options(self):
        names, vms = self.planned(vms=2, root=guests.DISK, disk=["@/a.img", "@/b.img,private"])
        self.assertEqual(names, ["root", "a", "b"])
        self.assertEqual([own for own, _ in vms], [["root", "a", "b"], ["root", "b"]])
        for _, append in vms:
            self.assertIn(" root=/dev/dd0", append)
        names, vms = self.planned(vms=2, root=guests.INITRAMFS, guest="hello", disk=["@/a.img"])
        self.assertEqual((names, [own for own, _ in vms]), (["a"], [["a"], []]))
        self.assertNotIn("root=", vms[0][1])

    def test_initramfs(self):
        names, vms = self.planned(root=guests.INITRAMFS)
        self.assertEqual((names, vms[0][0]), ([], []))
        self.assertNotIn("root=", vms[0][1])

    def test_file(self):
        linux = "[{}]\nmemory = 64M\nkernel = linux\n{}\n"
        names, vms = self.planned(linux.format("x", "disks = data") + "[disk data]\nimage = a.img\nkeep = yes\n"
                                  + linux.format("y", "disks = data sys") + "[disk sys]\nimage = root\ncopy = yes\n"
                                  + linux.format("z", "initrd = a.img"), root=guests.DISK)
        self.assertEqual(names, ["root", "data", "sys"])
        self.assertEqual([own for own, _ in vms], [["root", "data"], ["data", "sys"], []])
        self.assertIn("root=/dev/dd0 ", vms[0][1])
        self.assertIn("root=/dev/dd1 ", vms[1][1])
        self.assertNotIn("root=", vms[2][1])

    def test_name_of_the_root_may_be_taken(self):
        names, vms = self.planned("[x]\nmemory = 64M\nkernel = linux\ndisks = root\n[disk root]\nimage = a.img\n", root=guests.DISK)
        self.assertEqual((names, vms[0][0]), (["root-2", "root"], ["root-2", "root"]))

    def test_refused(self):
        vm = "[x]\nmemory = 64M\nkernel = linux\n"
        self.refused(r"vms\.conf:5: image = none\.img: No such file", vm + "[disk d]\nimage = none.img\n")
        self.refused(r"vms\.conf:5: image = root: changes to the bundled", vm + "[disk d]\nimage = root\nkeep = yes\n")
        self.refused(r"vms\.conf:5: image = n: size is for disks", vm + "[disk d]\nimage = n\nsize = 1M\n")
        self.refused(r"--disk .*/c\.img: No such file", disk=["@/c.img"])

    def test_too_many_for_one(self):
        texts = [f"@/{'ab'[number % 2]}.img,private" for number in range(8)]
        self.refused("vm0 has 5 disks, one for its root: .* at most 4", disk=texts[:4], root=guests.DISK)
        self.refused("vm0 has 5 disks: .* at most 4", disk=texts[:5], root=guests.INITRAMFS)
        self.refused("too many disks", disk=texts, root=guests.DISK)
        self.planned(disk=texts[:4], root=guests.INITRAMFS)
        text = "[x]\nmemory = 64M\nkernel = linux\ndisks = a b c d\n"
        text += "".join(f"[disk {name}]\nimage = a.img\n" for name in "abcd")
        self.refused(r"vms\.conf:4: x has 5 disks, one for its root", text, root=guests.DISK)
        self.planned(text, root=guests.INITRAMFS)

    def test_nothing_stays_locked_when_it_fails(self):
        with tempfile.NamedTemporaryFile() as image:
            os.truncate(image.name, 4096)
            wish = run.Wish(guest="hello", disk=[image.name])
            for _ in range(2):
                with mock.patch.object(plan, "built", side_effect=Failure("no build")), self.assertRaisesRegex(Failure, "no build"):
                    plan.plan(wish)


class Bundled(unittest.TestCase):
    """The whole plan of a Linux with its root on a disk, over products that are not the real ones."""

    def test_root_on_a_disk(self):
        with tempfile.TemporaryDirectory() as name:
            made = {}
            for product in ("root.img", "start.gz", "vmlinux"):
                made[product] = Path(name) / product
                made[product].write_bytes(product.encode().ljust(disks.BLOCK, b"."))
            with mock.patch.object(build, "cross"), mock.patch.object(guests, "kernel", lambda *_: made["vmlinux"]), \
                    mock.patch.object(guests, "root_image", lambda _: made["root.img"]), \
                    mock.patch.object(guests, "start", lambda _: made["start.gz"]):
                planned = plan.plan(run.Wish(vms=2, root=guests.DISK), Exec("true"))
            self.addCleanup(planned.close)
            self.assertEqual(planned.vms[1].disks, ["root"])
            self.assertIn(b"[disk root]\nunit = 0\nchanges = private\nkeep = no\n\n[vm0]", planned.archive)
            self.assertIn(made["start.gz"].read_bytes(), planned.archive)
            self.assertEqual(planned.drives[0].file.read(8), b"root.img")
            self.assertEqual(planned.memory, 2 * 256 * MIB + vmconf.room(len(planned.archive), True))
            writer = disks.of_option(str(made["root.img"]))
            writer.open()
            self.addCleanup(disks.close_all, [writer])
            with self.assertRaisesRegex(Failure, "in use"):
                writer.lock()


class Contradictions(unittest.TestCase):
    def test_file_has_the_disks(self):
        with self.assertRaisesRegex(Failure, "leave out --disk"):
            run.refuse_contradictions(run.Wish(file="f", disk=["x"]))


if __name__ == "__main__":
    unittest.main()
