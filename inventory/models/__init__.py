"""What is known about the world."""

from inventory.models.areas import AreaOfInterest
from inventory.models.glaciers import Glacier, Region
from inventory.models.lineage import Lineage
from inventory.models.outlines import DrawnOutline, Outline, Source
from inventory.models.scenes import Scene

__all__ = ["AreaOfInterest", "DrawnOutline", "Glacier", "Lineage", "Outline", "Region", "Scene", "Source"]
