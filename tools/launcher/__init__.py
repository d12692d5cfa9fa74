# SPDX-License-Identifier: BSD-2-Clause
"""The launcher of libdisco: builds, boots guests under QEMU, runs the tests. Standard library only."""
