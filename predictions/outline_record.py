"""What an outline of the inventory says of itself, said of a predicted one: how it was made, its shape, its ground.

Names after the GLIMS transfer specification (Raup and Khalsa 2010) and the Randolph Glacier Inventory.
"""

from __future__ import annotations

from typing import Any

import shapely

from inventory.geodesy import area_km2_and_perimeter_km
from predictions.models import Mask, PredictedOutline

GROUND = ("min_elev_m", "mean_elev_m", "median_elev_m", "max_elev_m", "slope_mean_deg", "aspect_mean_deg")
COLUMNS = (
    "line_type", "area_calc_method", "area_ci_level", "perimeter_km", "n_parts", "n_holes", *GROUND, "dem_name",
    "sensor", "scene_ids", "inputs", "threshold", "weights_sha256", "anlys_time", "proc_desc", "review_status",
)  # fmt: skip
NUMBERS = ("area_ci_level", "perimeter_km", *GROUND, "threshold")
COUNTS = ("n_parts", "n_holes")
AREA_METHOD = "geodesic on WGS 84 (Karney 2013), holes subtracted"
CI_LEVEL = 0.95


def of(outline: PredictedOutline) -> dict[str, Any]:
    """The values of COLUMNS: perimeter of all rings in km, heights in m above the elevation model's zero, None where
    unknown."""
    mask, version, ground = outline.mask, outline.mask.version, outline.relief or {}
    shape = shapely.from_wkb(bytes(outline.geometry.wkb))
    return {
        "line_type": "glac_bound" if mask.product == Mask.Product.ICE else "snow and ice, not glacier",
        "area_calc_method": AREA_METHOD,
        "area_ci_level": CI_LEVEL if outline.area_lo_km2 is not None else None,
        "perimeter_km": round(area_km2_and_perimeter_km(shape)[1], 6),
        "n_parts": len(shape.geoms),
        "n_holes": int(shapely.get_num_interior_rings(shapely.get_parts(shape)).sum()),
        **{name: ground.get(name) for name in (*GROUND, "dem_name")},
        "sensor": mask.scene.sensor,
        "scene_ids": mask.scene.key,
        "inputs": " ".join(version.bands) if version else "green swir1",
        "threshold": mask.threshold,
        "weights_sha256": version.weights_sha256 if version else None,
        "anlys_time": mask.created.isoformat(),
        "proc_desc": _description(mask),
        "review_status": "not reviewed",
    }


def _description(mask: Mask) -> str:
    version = mask.version
    how = f"{version.architecture} {version.preset}, version {version.pk}" if version else "NDSI of at least 0.4"
    return f"{how}; 4-connected parts of 0.01 km2 or more, smoothed by up to half a pixel, cut to glacier domains"
