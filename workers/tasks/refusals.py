"""Errors that say themselves what is wrong with what was asked; every other one is a fault of the program."""

from __future__ import annotations

REFUSALS = (ValueError, KeyError, FileNotFoundError, NotADirectoryError, MemoryError)
