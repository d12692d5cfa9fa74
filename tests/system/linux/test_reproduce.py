# SPDX-License-Identifier: BSD-2-Clause
"""./disco reproduce: one of the paper's figures, from its loads to the page."""

import re
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from harness import disco, in_one_order

LOADS = ("build", "engineering", "raytrace", "database")


class Reproduce(unittest.TestCase):
    @in_one_order
    def test_a_page(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            done = disco("reproduce", "--quick", "--page", page, "figure5", timeout=1200)
            self.assertEqual(done.status, 0, done)
            text = page.read_text()
        plot = ElementTree.fromstring(re.search(r"<svg.*</svg>", text, re.DOTALL)[0])
        self.assertGreater(len(list(plot.iter())), 50)
        for load in LOADS:
            row = re.search(rf"<tr><td>{load}</td>(.*?)</tr>", text)
            self.assertTrue(row, f"no row of {load}")
            bare, guest, percent = (float(cell.replace(",", "")) for cell in re.findall(r"<td>([0-9.,]+)</td>", row[1])[:3])
            self.assertGreater(min(bare, guest), 1)
            self.assertAlmostEqual(percent / 100, guest / bare, delta=0.05 * guest / bare)
            self.assertGreater(percent, 90)
        self.assertEqual(len(re.findall(r"^\./disco native ", text, re.MULTILINE)) + text.count("<pre>./disco native"), len(LOADS))

    def test_unknown_figure(self):
        done = disco("reproduce", "figure99")
        self.assertEqual(done.status, 2, done)
        self.assertRegex(done.err, r"\Adisco: there is no figure figure99; there are: [^\n]*\n\Z")


if __name__ == "__main__":
    unittest.main()
