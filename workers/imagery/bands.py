"""Bands by their canonical name, stored integers to physical values, quality masks and indices.

Band passes and scale factors: USGS, *Landsat 8-9 Collection 2 Level 2 Science Product Guide* (LSDS-1619) and
*Landsat 4-7 ...* (LSDS-1618); ESA, *Sentinel-2 Products Specification*, processing baseline 04.00. NDSI: Hall,
Riggs and Salomonson 1995; NDWI: McFeeters 1996. Sensor harmonisation: Roy et al. 2016, Table 2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

CANONICAL = ("blue", "green", "red", "nir", "swir1", "swir2")
OPTIONAL = ("coastal", "thermal")
RADAR = ("co_pol", "cross_pol", "coherence")
"""Gamma nought of both polarisations in linear power, and interferometric coherence."""

_TM = {"blue": "B1", "green": "B2", "red": "B3", "nir": "B4", "swir1": "B5", "swir2": "B7", "thermal": "B6"}
_OLI = {
    "coastal": "B1",
    "blue": "B2",
    "green": "B3",
    "red": "B4",
    "nir": "B5",
    "swir1": "B6",
    "swir2": "B7",
    "thermal": "B10",
}
_MSI = {"coastal": "B1", "blue": "B2", "green": "B3", "red": "B4", "nir": "B8A", "swir1": "B11", "swir2": "B12"}
_MODIS = {"red": "B1", "nir": "B2", "blue": "B3", "green": "B4", "swir1": "B6", "swir2": "B7"}
SENSOR_BANDS: dict[str, dict[str, str]] = {
    "landsat-4": _TM, "landsat-5": _TM, "landsat-7": _TM, "landsat-8": _OLI, "landsat-9": _OLI,
    "sentinel-2": _MSI, "modis": _MODIS,
}  # fmt: skip
# Names that catalogues and files use for a canonical band, whatever the sensor
ALIASES = {
    "nir08": "nir", "swir16": "swir1", "swir22": "swir2", "lwir11": "thermal", "lwir": "thermal",
    "qa_pixel": "qa", "qa_radsat": "radsat", "scl": "scl", "fmask": "fmask", "coastal_aerosol": "coastal",
    "vv": "co_pol", "hh": "co_pol", "vh": "cross_pol", "hv": "cross_pol",
}  # fmt: skip
MASK_BANDS = ("qa", "scl", "fmask", "mod35", "radsat")
BASELINE_0400 = date(2022, 1, 25)

FILL, DILATED, CIRRUS, CLOUD, SHADOW, SNOW = (1 << bit for bit in range(6))
SCL_INVALID = (0, 1, 3, 8, 9, 10)


@dataclass(frozen=True)
class Scaling:
    """value = DN * scale + offset; DN `nodata` and values outside `valid` are missing."""

    scale: float
    offset: float
    nodata: float | None
    valid: tuple[float, float]


LANDSAT_SR = Scaling(2.75e-5, -0.2, 0, (-0.2, 1.6))
LANDSAT_ST = Scaling(0.00341802, 149.0, 0, (200.0, 340.0))
LANDSAT_EMISSIVITY = Scaling(1e-4, 0.0, -9999, (0.0, 1.0))
SENTINEL2_OLD = Scaling(1e-4, 0.0, 0, (0.0, 1.6))
SENTINEL2_0400 = Scaling(1e-4, -0.1, 0, (-0.1, 1.6))
SENTINEL1_RTC = Scaling(1.0, 0.0, -32768, (np.nextafter(0, 1), 10.0))
ELEVATION = Scaling(1.0, 0.0, -32768, (-500.0, 9000.0))
HLS = Scaling(1e-4, 0.0, -9999, (-0.2, 1.6))
HLS_THERMAL = Scaling(0.01, 273.15, -9999, LANDSAT_ST.valid)  # stored in hundredths of a degree Celsius
PRODUCTS: dict[str, Scaling] = {
    "landsat-c2-l2-sr": LANDSAT_SR, "landsat-c2-l2-st": LANDSAT_ST, "landsat-c2-l2-emissivity": LANDSAT_EMISSIVITY,
    "sentinel-1-rtc": SENTINEL1_RTC, "elevation": ELEVATION, "hls": HLS,
}  # fmt: skip
REFLECTANCE_VALID = (-0.2, 1.6)


def sensor_of(text: str) -> str:
    """Our sensor key for a platform or sensor text ("LANDSAT_8", "Landsat 8 OLI (HLS L30)", "S2A"); "" when unknown."""
    lower = text.lower()
    landsat = re.search(r"(?:landsat|lt|le|lc|lo)[ _-]?0?([4-9])(?!\d|/)", lower)
    if landsat:
        return f"landsat-{landsat[1]}"
    if sentinel := re.search(r"sentinel[ _-]?([12])|\bs([12])[a-d]?\b", lower):
        return f"sentinel-{sentinel[1] or sentinel[2]}"
    return "modis" if re.search(r"modis|mod09|myd09|terra|aqua", lower) else ""


def canonical(name: str, sensor: str = "") -> str | None:
    """Canonical band (or mask) that a catalogue's or file's band name means; None when it means none.

    Understands our names, the common aliases, band codes of the sensor (B3, B03, SR_B3) and composed names
    such as b04_green_555nm.
    """
    lower = name.strip().lower()
    plain = ALIASES.get(lower, lower)
    if plain in (*CANONICAL, *OPTIONAL, *RADAR, *MASK_BANDS, "ndsi", "elevation", "label"):
        return plain
    code = re.fullmatch(r"(?:sr_|st_)?b0?(\d{1,2}a?)", lower)
    if code:
        wanted = f"B{code[1].upper()}"
        return next((key for key, band in SENSOR_BANDS.get(sensor, {}).items() if band == wanted), None)
    words = re.split(r"[^a-z0-9]+", lower)
    if "mod35" in words:
        return "mod35"
    return next((ALIASES.get(word, word) for word in words if ALIASES.get(word, word) in CANONICAL), None)


def sentinel2_scaling(
    baseline: str | float | None = None, acquired: datetime | None = None, offset_applied: bool = False
) -> Scaling:
    """Scaling of a Sentinel-2 L2A file that states no offset of its own.

    From processing baseline 04.00 on DN carry an offset of 1000, unless the archive has taken it out. Without a
    baseline the day the baseline came into force (2022-01-25) decides. Baselines are read as 04.00, 0400 or N0400;
    ValueError for anything else.
    """
    if offset_applied:
        return SENTINEL2_OLD
    if baseline not in (None, ""):
        return SENTINEL2_0400 if _baseline(str(baseline)) >= 4.0 else SENTINEL2_OLD
    return SENTINEL2_0400 if acquired is not None and acquired.date() >= BASELINE_0400 else SENTINEL2_OLD


def _baseline(text: str) -> float:
    plain = text.strip().upper().removeprefix("N")
    if not re.fullmatch(r"\d{1,2}(\.\d+)?|\d{3,4}", plain):
        raise ValueError(f"{text!r} is no Sentinel-2 processing baseline; write it as 04.00, 0400 or N0400.")
    return float(plain) / (100 if len(plain) > 2 and "." not in plain else 1)


def scale(dn: np.ndarray, product: str | Scaling) -> np.ndarray:
    """Stored integers -> physical values, float32, NaN for nodata and for values that cannot be.

    `product` is a key of PRODUCTS or a Scaling; KeyError lists the keys.
    """
    if isinstance(product, str) and product not in PRODUCTS:
        raise KeyError(f"Product {product!r} has no scaling; known are {', '.join(PRODUCTS)}.")
    rule = PRODUCTS[product] if isinstance(product, str) else product
    raw = np.asarray(dn)
    values = raw.astype(np.float64) * rule.scale + rule.offset
    slack = 0.0 if rule.scale == 1 else 1e-9  # what rounding of a scaled integer may add; a power of 0 stays missing
    missing = ~np.isfinite(values) | (values < rule.valid[0] - slack) | (values > rule.valid[1] + slack)
    if rule.nodata is not None:
        missing |= raw == rule.nodata
    return np.where(missing, np.nan, values).astype(np.float32)


def decibel(power: np.ndarray) -> np.ndarray:
    """Backscatter in dB from linear power; averages are taken before, in power."""
    return (10 * np.log10(np.maximum(power, 1e-6))).astype(np.float32)


def linear_power(decibels: np.ndarray) -> np.ndarray:
    """Backscatter in linear power from dB, float32: what is stored and averaged."""
    return (10 ** (np.asarray(decibels, dtype=np.float64) / 10)).astype(np.float32)


def qa_pixel_invalid(
    qa: np.ndarray, mask_dilated: bool = True, ndsi: np.ndarray | None = None, swir1: np.ndarray | None = None
) -> np.ndarray:
    """bool: fill, cloud (dilated), cirrus or shadow in Landsat Collection 2 QA_PIXEL. Snow is never invalid.

    With `ndsi` and `swir1` cloud bits are dropped where NDSI >= 0.7 and SWIR1 < 0.15: CFMask calls bright snow
    cloud. That may let real ice cloud through, so it is off unless both are given.
    """
    bits = np.asarray(qa).astype(np.int64)
    cloud = (bits & (CLOUD | (DILATED if mask_dilated else 0))) != 0
    if ndsi is not None and swir1 is not None:
        cloud &= ~((ndsi >= 0.7) & (swir1 < 0.15))
    return ((bits & (FILL | CIRRUS | SHADOW)) != 0) | cloud


def qa_pixel_cloud(qa: np.ndarray) -> np.ndarray:
    """bool: cloud, dilated cloud or cirrus, without fill."""
    bits = np.asarray(qa).astype(np.int64)
    return ((bits & (CLOUD | DILATED | CIRRUS)) != 0) & ((bits & FILL) == 0)


def qa_pixel_snow(qa: np.ndarray) -> np.ndarray:
    """bool: snow or ice bit."""
    return (np.asarray(qa).astype(np.int64) & SNOW) != 0


def radsat_saturated(radsat: np.ndarray, sensor_bands: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)) -> np.ndarray:
    """bool: any of the sensor's bands saturated (bit k-1 of QA_RADSAT is band k). A flag only: fresh snow saturates."""
    wanted = sum(1 << (number - 1) for number in sensor_bands)
    return (np.asarray(radsat).astype(np.int64) & wanted) != 0


def scl_invalid(scl: np.ndarray) -> np.ndarray:
    """bool: nodata, defective, shadow, cloud or cirrus in the Sentinel-2 scene classification; snow is valid."""
    return np.isin(np.asarray(scl), SCL_INVALID)


def mod35_invalid(byte0: np.ndarray) -> np.ndarray:
    """bool: cloudy or uncertain (bits 1-2 below 2) in byte 0 of the MODIS cloud mask, or not determined (bit 0)."""
    bits = np.asarray(byte0).astype(np.int64)
    return ((bits & 1) == 0) | (((bits >> 1) & 3) < 2)


def fmask_invalid(fmask: np.ndarray) -> np.ndarray:
    """bool: cirrus, cloud, adjacent or shadow (bits 0-3) in the HLS Fmask layer, or fill (255)."""
    bits = np.asarray(fmask).astype(np.int64)
    return ((bits & 0b1111) != 0) | (bits == 255)


def _normalised_difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    if np.shape(first) != np.shape(second):
        raise ValueError(f"Bands of {np.shape(first)} and {np.shape(second)} have no index; bring both onto one grid.")
    a, b = np.maximum(first, 0, dtype=np.float32), np.maximum(second, 0, dtype=np.float32)
    total = a + b
    dark = ~(total > 1e-6)  # NaN counts as dark
    ratio = (a - b) / np.where(dark, 1, total)
    return np.where(dark, np.nan, ratio).astype(np.float32)


def ndsi(green: np.ndarray, swir1: np.ndarray) -> np.ndarray:
    """Normalised difference snow index of two reflectances of one shape, float32 in [-1, 1].

    NaN where either is missing or both are 0; reflectances below 0 count as 0. ValueError when the shapes differ.
    """
    return _normalised_difference(green, swir1)


def ndwi(green: np.ndarray, nir: np.ndarray) -> np.ndarray:
    """Normalised difference water index (McFeeters 1996) of two reflectances; as `ndsi`."""
    return _normalised_difference(green, nir)


def snow_ice(ndsi: np.ndarray, threshold: float = 0.3) -> np.ndarray:
    """NDSI where it reaches the threshold, else 0; NaN stays NaN. `> 0` is the snow/ice mask, not a glacier outline."""
    if not 0.2 <= threshold <= 0.6:
        raise ValueError(f"The snow and ice threshold is {threshold}; choose one from 0.2 to 0.6.")
    values = np.asarray(ndsi, dtype=np.float32)
    return np.where(np.isnan(values), np.nan, np.where(values >= np.float32(threshold), values, 0)).astype(np.float32)


ROY2016 = {
    "blue": (0.0003, 0.8474), "green": (0.0088, 0.8483), "red": (0.0061, 0.9047),
    "nir": (0.0412, 0.8462), "swir1": (0.0254, 0.8937), "swir2": (0.0172, 0.9071),
}  # fmt: skip


def roy2016(reflectance: np.ndarray, band: str) -> np.ndarray:
    """TM or ETM+ surface reflectance of one band as OLI would have seen it."""
    intercept, slope = ROY2016[band]
    return (intercept + slope * np.asarray(reflectance)).astype(np.float32)
