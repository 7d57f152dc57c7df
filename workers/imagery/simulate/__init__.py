"""Simulated glacier worlds with exact truth, for the embedded sample and for the bars of the benchmarks."""

from .profiles import PROFILES, Profile
from .retreat import Step
from .worlds import World

__all__ = ["PROFILES", "Profile", "Step", "World"]
