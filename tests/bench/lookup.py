#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Look-up cost of l2tlb and pmap beside rust-vmm's vm-memory, in ns and in instructions.

usage: lookup.py LOOKUP STEPS BUILD_DIR

LOOKUP and STEPS are the programs built from lookup.c and steps.c. vm-memory is built in
BUILD_DIR from Debian's packages (librust-vm-memory-dev, rustc, cargo); where they are missing
its rows say so. The cost of the loop itself is measured and taken off.
"""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REGISTRY = "/usr/share/cargo/registry"
CARGO, RUSTC = "/usr/bin/cargo", "/usr/bin/rustc"
TIMED, STEPPED = 10_000_000, 500
REGIONS = (1, 16, 64)


def missing():
    """What the Rust side lacks, or None."""
    if not (os.path.exists(CARGO) and os.path.exists(RUSTC)):
        return "not measured: Debian's rustc and cargo are not installed"
    crates = os.listdir(REGISTRY) if os.path.isdir(REGISTRY) else []
    if not any(c.startswith("vm-memory-") for c in crates):
        return "not measured: librust-vm-memory-dev is not installed"
    return None


def build_rust(build_dir):
    """Build the Rust program offline from Debian's registry; its path."""
    work = os.path.join(build_dir, "vm-memory-bench")
    shutil.rmtree(os.path.join(work, "src"), ignore_errors=True)
    shutil.copytree(os.path.join(HERE, "vm-memory"), work, dirs_exist_ok=True)
    os.makedirs(os.path.join(work, ".cargo"), exist_ok=True)
    with open(os.path.join(work, ".cargo", "config.toml"), "w", encoding="ascii") as f:
        f.write('[source.crates-io]\nreplace-with = "debian"\n'
                f'[source.debian]\ndirectory = "{REGISTRY}"\n')
    env = dict(os.environ, RUSTC=RUSTC, CARGO_HOME=os.path.join(work, "home"))
    subprocess.run([CARGO, "build", "--release", "--offline", "--quiet"], cwd=work, env=env,
                   check=True, timeout=600)
    return os.path.join(work, "target", "release", "vm-memory-lookup")


def run(*command):
    """First word of a program's output."""
    out = subprocess.run(command, check=True, timeout=300, stdout=subprocess.PIPE, text=True)
    return out.stdout.split()[0]


def nanoseconds(program, kind, access):
    return float(run(program, kind, access, str(TIMED), "time"))


def instructions(steps, program, kind, access):
    """Instructions per look-up, or None where a process may not be traced."""
    try:
        return int(run(steps, program, kind, access, str(STEPPED), "steps")) / STEPPED
    except subprocess.CalledProcessError:
        return None


def row(name, program, steps, kind, empty):
    cells = []
    for access in ("random", "sequential"):
        ns = nanoseconds(program, kind, access) - nanoseconds(program, empty, access)
        many = instructions(steps, program, kind, access)
        loop = instructions(steps, program, empty, access)
        count = "n/a" if many is None or loop is None else f"{many - loop:.1f}"
        cells.append(f"{ns:8.2f} {count:>8}")
    print(f"{name:<34}{cells[0]}   {cells[1]}", flush=True)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    lookup, steps, build_dir = (os.path.abspath(a) for a in sys.argv[1:])
    print("look-ups over 256 MiB" + " " * 13 + "      random         sequential")
    print(" " * 34 + "      ns   instr.         ns   instr.")
    row("l2tlb  (4 KiB pages, all hits)", lookup, steps, "l2tlb", "loop")
    row("pmap   (4 KiB pages)", lookup, steps, "pmap", "loop")
    why = missing()
    if why:
        print(f"{'vm-memory':<34}{why}")
        return
    rust = build_rust(build_dir)
    for n in REGIONS:
        row(f"vm-memory ({n} region{'s' if n > 1 else ''})", rust, steps, str(n), "0")


if __name__ == "__main__":
    main()
