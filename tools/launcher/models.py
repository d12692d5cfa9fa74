# SPDX-License-Identifier: BSD-2-Clause
"""The models of tests/model, checked by spin: as they are every state must be good, with a bug seeded one must not."""

import re
import shutil

from . import build, procs
from .paths import BUILD, ROOT
from .suites import FAILED, PASSED, Result, command

MODELS = ROOT / "tests" / "model"
VARIANT = re.compile(r"\b(?:BUG|REGIME)_\w+")

# The whole state space, kept exactly: a search that hits one of these limits says so, and then has not passed.
COMPILE = ("gcc", "-O2", "-w", "-DSAFETY", "-DMEMLIM=2000", "-o", "pan", "pan.c")
CHECK = ("./pan", "-m2000000")
CHECK_TIMEOUT = 900

# What the checker prints when its search ended early; and of a state that must not be.
CUT_SHORT = re.compile(r"max search depth too small|Search not completed|hash table full|out of memory|memory limit")
WRONG = re.compile(r"^pan:1: (?:assertion violated|invalid end state)", re.MULTILINE)
ERRORS = re.compile(r"^State-vector .* errors: (\d+)$", re.MULTILINE)


def suite():
    """One Result for each model, for each of its regimes, and for each bug that its text can be given."""
    all_of_them = [(model, variant) for model in sorted(MODELS.glob("*.pml")) for variant in variants(model)]
    return procs.side_by_side(lambda one: checked(*one), all_of_them, build.JOBS)


def variants(model):
    return ["", *sorted(set(VARIANT.findall(model.read_text())))]


def checked(model, variant):
    name = f"{model.stem} {variant}".rstrip()
    place = BUILD / "model" / name.replace(" ", "-")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for words, timeout in ((["spin", *[f"-D{variant}"] * bool(variant), "-a", model], 60), (COMPILE, 300),
                           (CHECK, CHECK_TIMEOUT)):
        result = command(name, words, timeout, cwd=place)
        if result.outcome == FAILED:
            return result
    return judged(name, result.detail, variant.startswith("BUG_"))


def judged(name, output, seeded):
    """What the checker's output says: nothing found in all there is, or, with a bug seeded, something found."""
    errors = ERRORS.search(output)
    if seeded:
        good = errors and errors[1] == "1" and WRONG.search(output)
    else:
        good = errors and errors[1] == "0" and not CUT_SHORT.search(output)
    return Result(name, PASSED if good else FAILED, output if good else f"{output}\n{expected(seeded)}")


def expected(seeded):
    return "the seeded bug was not found" if seeded else "the model is wrong, or was not searched to the end"
