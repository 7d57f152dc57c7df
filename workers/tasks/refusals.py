"""Errors that say themselves what is wrong with what was asked; every other one is a fault of the program."""

from __future__ import annotations

from workers.learning.training import Diverged

REFUSALS = (ValueError, KeyError, FileNotFoundError, NotADirectoryError, MemoryError, Diverged)
