"""Simulated glacier worlds with exact truth, for the embedded sample and for the bars of the benchmarks."""

from .files import FolderInTheWay, write_world
from .profiles import PROFILES, Profile
from .retreat import Step
from .worlds import Scene, World

__all__ = ["PROFILES", "FolderInTheWay", "Profile", "Scene", "Step", "World", "write_world"]
