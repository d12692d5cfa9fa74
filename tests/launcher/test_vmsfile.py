# SPDX-License-Identifier: BSD-2-Clause
import tempfile
import unittest
from pathlib import Path

from launcher import plan, run, vmconf, vmsfile
from launcher.say import Failure

MIB = 1 << 20
GOOD = """\
# two machines
[web]
cpus = 2
memory = 64M
kernel = linux
append = quiet x=1

[db_2]
memory=32M
 kernel = ./k.elf
"""
DISK = "[disk d]\nimage = d.img\n"
VM = "[a]\nmemory = 64M\nkernel = linux\n"


class Text(unittest.TestCase):
    def test_good(self):
        web, other = vmsfile.parse("f", GOOD).vms
        self.assertEqual((web.name, web.values), ("web", {"cpus": 2, "memory": 64 * MIB, "kernel": "linux",
                                                          "append": "quiet x=1"}))
        self.assertEqual((other.name, other.values), ("db_2", {"memory": 32 * MIB, "kernel": "./k.elf"}))
        self.assertEqual((other.where(), other.where("kernel")), ("f:8", "f:10"))

    def test_disks(self):
        text = VM + "disks = d  root\nnet = yes\nuart = no\n" + DISK + "changes = visible\nkeep = yes\nlog = 8K\nsize = 1M\n"
        sections = vmsfile.parse("f", "[disk\troot ]\nimage = root\ncopy = no\n" + text)
        vm, = sections.vms
        self.assertEqual((vm.values["disks"], vm.values["net"], vm.values["uart"]), (["d", "root"], True, False))
        root, data = sections.disks
        self.assertEqual((root.name, root.values), ("root", {"image": "root", "copy": False}))
        self.assertEqual((data.name, data.values), ("d", {"image": "d.img", "changes": True, "keep": True, "log": 8192, "size": MIB}))
        self.assertEqual(vmsfile.parse("f", VM + "disks =\n").vms[0].values["disks"], [])

    def test_errors_name_file_and_line(self):
        rows = (
            (DISK, 1, "no virtual machine"), (VM + DISK + DISK, 6, "two disks of one name: d"), (VM + "[disk d]\n", 4, "d has no image"),
            (VM + "disks = d\n", 4, "no disk of that name: d"), (VM + "disks = x d\n" + DISK, 4, "no disk of that name: x"),
            (VM + "disks = d d\n" + DISK, 4, "one disk twice"), (VM + "net = maybe\n", 4, "net is no or yes"),
            (VM + "uart =\n", 4, "no value"), (VM + "image = x\n", 4, "unknown key image"), (VM + DISK + "unit = 1\n", 6, "unknown key unit"),
            (VM + DISK + "cpus = 1\n", 6, "unknown key cpus"), (VM + DISK + "changes = all\n", 6, "changes is private or visible"),
            (VM + DISK + "keep = 1\n", 6, "keep is no or yes"), (VM + DISK + "log = 2G\n", 6, "at most 1G"),
            (VM + DISK + "log = 1\n", 6, "log is a number"), (VM + DISK + "size = 6K\n", 6, "size is a multiple of 4K"),
            ("[disk]\n", 1, "not machine, disk, net or numa"), ("[disk net]\n", 1, "not machine"), ("[disk a b]\n", 1, "letters, digits"),
            ("".join(f"[disk v{i}]\nimage = x\n" for i in range(9)), 17, "too many disks"),
            (VM + "disks = a b c d e\n" + "".join(f"[disk {i}]\nimage = x\n" for i in "abcde"), 4, "at most 4"),
            ("", 1, "no virtual machine"), ("# nothing\n", 1, "no virtual machine"),
            (VM + "nonsense\n", 4, "neither"), (VM + "disk = x\n", 4, "unknown key disk"),
            (VM + VM, 4, "two virtual machines of one name: a"), (VM + "cpus = 0\n", 4, "1 to 16"),
            (VM + "cpus = 1000\n", 4, "1 to 16"), (VM + "cpus = two\n", 4, "1 to 16"),
            (VM + "cpus = " + "9" * 5000, 4, "1 to 16"), (VM + "memory = 1M\n", 4, "given twice"),
            ("[a]\nmemory = lots\n", 2, "a number with K, M or G"), ("[a]\nmemory = 64\n", 2, "a number with"),
            ("[a]\nmemory = 0M\n", 2, "multiple of 8K"), ("[a]\nmemory = 12K\n", 2, "multiple of 8K"),
            ("[a]\nmemory = " + "9" * 5000 + "G\n", 2, "a number with"), ("[a\n", 1, "a section is"), ("[]\n", 1, "a section is"),
            ("[a]\nkernel = linux\n", 1, "a has no memory"), ("[a]\nmemory = 64M\n[b]\n", 1, "a has no kernel"),
            ("cpus = 1\n", 1, "before the first"), ("[a]\nkernel =\n", 2, "no value"), ("[a b]\n", 1, "letters, digits"),
            ("[machine]\n", 1, "not machine"), ("[cpu1]\n", 1, "does not begin with cpu"), (f"[{'x' * 32}]\n", 1, "up to 31"),
            ("[a]\n\x01\n", 2, "control character"),
            ("".join(f"[v{i}]\nmemory = 2M\nkernel = linux\n" for i in range(17)), 49, "too many"),
        )
        for text, line, words in rows:
            with self.subTest(text[:40]), self.assertRaises(Failure) as caught:
                vmsfile.parse("vms.conf", text)
            self.assertRegex(str(caught.exception), rf"\Avms\.conf:{line}: [^\n]*{words}")

    def test_file_that_cannot_be_read(self):
        with self.assertRaisesRegex(Failure, "-f /nowhere/f: No such file"):
            vmsfile.read("/nowhere/f")


class Planned(unittest.TestCase):
    """What is found before anything is built."""

    def refused(self, text, words, **wishes):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vms.conf"
            path.write_text(text)
            (Path(folder) / "text.elf").write_text("not ELF")
            with self.assertRaisesRegex(Failure, words) as caught:
                plan.plan(run.Wish(file=str(path), **wishes))
        return str(caught.exception)

    def test_errors_name_file_and_line(self):
        for text, words in ((VM + "[b]\nmemory = 64M\nkernel = ./none\n", r"vms\.conf:6: .*/none: No such file"),
                            ("[b]\nmemory = 64M\nkernel = text.elf\n", r"vms\.conf:3: text\.elf: is not an ELF file"),
                            (VM + "initrd = none\n", r"vms\.conf:4: .*/none: No such file"),
                            ("[b]\nkernel = linux\nmemory = 8M\n", r"vms\.conf:3: memory = 8M: .* at least 32M"),
                            ("[b]\nkernel = linux\nmemory = 3G\n", r"vms\.conf:3: memory = 3072M: too much memory"),
                            (VM + "append = " + "x" * 2048, r"vms\.conf:4: .* at most 2047")):
            self.refused(text, words)

    def test_more_than_the_machine_has(self):
        text = VM.replace("64M", "1G") + VM.replace("64M", "1G").replace("[a]", "[b]")
        self.refused(text, "ask for 2048M of memory, the machine has room for")
        self.refused(VM, "--machine-mem 9216M: too much", machine_mem="9G")
        self.refused(VM, "--machine-mem lots: not a memory size", machine_mem="lots")

    def test_options_that_the_file_answers(self):
        for wishes in ({"vms": 2}, {"cpus": 2}, {"mem": "64M"}, {"guest": "hello"}):
            with self.assertRaisesRegex(Failure, "-f: the file says"):
                run.refuse_contradictions(run.Wish(file="f", **wishes))

    def test_exec_needs_the_bundled_user_land(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("[a]\nmemory = 64M\nkernel = hello\n")
            file.flush()
            with self.assertRaisesRegex(Failure, ":3: --exec: only the linux guest"):
                plan.plan(run.Wish(file=file.name), command=object())


class Machines(unittest.TestCase):
    def test_file_is_in_the_archive_once(self):
        files = plan.Files()
        names = [files.add("vmlinux", b"one"), files.add("vmlinux", b"one"), files.add("vmlinux", b"two"),
                 files.add("a/../b c" * 9, b"three")]
        self.assertEqual(names[:3], ["vmlinux", "vmlinux", "vmlinux-2"])
        self.assertRegex(names[3], r"\A[A-Za-z0-9._-]{1,31}\Z")
        self.assertEqual(len(files.contents), 3)

    def test_default_memory_is_less_where_many_share(self):
        for vms in range(1, vmconf.MOST_VMS + 1):
            memory = plan.default_memory(run.Wish(vms=vms))
            self.assertLessEqual(memory * vms, vmconf.GUESTS_ROOM)
            self.assertEqual(memory % MIB, 0)
        self.assertEqual(plan.default_memory(run.Wish()), 256 * MIB)
        self.assertEqual(plan.default_memory(run.Wish(vms=16, machine_mem="1G")), 256 * MIB)

    def test_options_for_the_monitor(self):
        made = plan.Plan("little", [None, None], b"", 0, True)
        wish = run.Wish(vms=2, exec="true", tlb="flush", slice=5, stats="f", monitor_append="vectors=c")
        self.assertEqual(run.monitor_options(wish, made, 2),
                         ["vectors=c", "tlb=flush", "slice=5", "stats=1000", "on-reset=stop", "console=framed"])
        made = plan.Plan("little", [None], b"", 0, True)
        self.assertEqual(run.monitor_options(run.Wish(), made, 1), [])
        wish = run.Wish(nodes=2, numa="on", numa_set="trigger=9,interval=50")
        self.assertEqual(run.monitor_options(wish, made, 4),
                         ["nodes=2", "numa=on", "numa-trigger=9", "numa-interval=50"])
        self.assertEqual(run.monitor_options(run.Wish(numa="off"), made, 4), ["nodes=4", "numa=off"])


if __name__ == "__main__":
    unittest.main()
