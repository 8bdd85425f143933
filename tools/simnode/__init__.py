# SPDX-License-Identifier: MIT
"""A stand-in for bitcoind: a real chain in memory, real validation, and faults on demand."""
