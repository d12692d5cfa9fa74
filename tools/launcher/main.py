# SPDX-License-Identifier: BSD-2-Clause
"""Entry point of the launcher; ./disco at the root starts it with Debian's python3."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from launcher.cli import main  # noqa: E402  (the path above makes the package findable)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
