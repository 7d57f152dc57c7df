"""First-order regions of the Randolph Glacier Inventory (GTN-G): names, and a coarse place for each.

The boxes follow the region outlines of GTN-G (2017) roughly; a file that names its region is always believed instead.
"""

from __future__ import annotations

from inventory.models import Region

SIMULATED = "00"

NAMES = {
    "00": "Simulated",
    "01": "Alaska",
    "02": "Western Canada and USA",
    "03": "Arctic Canada North",
    "04": "Arctic Canada South",
    "05": "Greenland Periphery",
    "06": "Iceland",
    "07": "Svalbard and Jan Mayen",
    "08": "Scandinavia",
    "09": "Russian Arctic",
    "10": "North Asia",
    "11": "Central Europe",
    "12": "Caucasus and Middle East",
    "13": "Central Asia",
    "14": "South Asia West",
    "15": "South Asia East",
    "16": "Low Latitudes",
    "17": "Southern Andes",
    "18": "New Zealand",
    "19": "Subantarctic and Antarctic Islands",
    "20": "Antarctic Mainland",
}

# Of 16, only what lies west of 30 degrees west counts for South America: predictions/regional_series.py.
TREND_REGIONS = {
    "Europe": ("06", "08", "11"),
    "Caucasus": ("12",),
    "Asia": ("10", "13", "14", "15"),
    "North America": ("01", "02"),
    "South America": ("16", "17"),
}

# (west, south, east, north), searched in this order: the first that holds the point wins.
BOXES: tuple[tuple[str, float, float, float, float], ...] = (
    ("05", -75.0, 59.0, -10.0, 84.0),
    ("06", -26.0, 62.0, -12.0, 68.0),
    ("07", -10.0, 70.5, 36.0, 82.0),
    ("08", 2.0, 58.0, 36.0, 72.0),
    ("09", 36.0, 70.0, 110.0, 83.0),
    ("03", -125.0, 74.0, -58.0, 84.0),
    ("04", -95.0, 57.0, -58.0, 74.0),
    ("01", -180.0, 51.0, -130.0, 72.0),
    ("01", -141.0, 54.5, -130.0, 61.0),
    ("02", -135.0, 35.0, -100.0, 66.0),
    ("11", -6.0, 40.0, 20.0, 50.0),
    ("12", 31.0, 28.0, 54.5, 45.0),
    ("13", 67.0, 35.5, 80.0, 46.0),
    ("13", 80.0, 33.0, 105.0, 46.0),
    ("14", 66.0, 28.0, 79.0, 37.5),
    ("15", 79.0, 25.0, 105.0, 33.0),
    ("10", 56.0, 44.0, 180.0, 78.0),
    ("10", 128.0, 33.0, 180.0, 78.0),
    ("16", -110.0, -26.0, -60.0, 25.0),
    ("16", 20.0, -26.0, 155.0, 25.0),
    ("17", -80.0, -58.0, -60.0, -26.0),
    ("18", 165.0, -48.0, 180.0, -33.0),
    ("19", -180.0, -66.0, 180.0, -45.0),
    ("20", -180.0, -90.0, 180.0, -66.0),
)


def code_at(lon: float, lat: float) -> str | None:
    """Region of a point by the coarse boxes; None on open ocean and where there are no glaciers."""
    for code, west, south, east, north in BOXES:
        if west <= lon <= east and south <= lat <= north:
            return code
    return None


def region_of(code: str | None, lon: float, lat: float, simulated: bool = False) -> Region | None:
    """The Region row: the file's own code where it has one, else by place; simulated glaciers lie in region 00."""
    found = SIMULATED if simulated else _two_digits(code) or code_at(lon, lat)
    if found is None:
        return None
    trend = next((name for name, codes in TREND_REGIONS.items() if found in codes), "")
    return Region.objects.get_or_create(code=found, defaults={"name": NAMES[found], "trend_region": trend})[0]


def _two_digits(code: str | None) -> str | None:
    text = (code or "").strip().split(".")[0].zfill(2)
    return text if text in NAMES and text != SIMULATED else None
