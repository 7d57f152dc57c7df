"""How values become colours: one definition each for tiles, legends and exports; its hash is part of a tile's address.

Ramps are safe for colour-vision deficiency (ColorBrewer's BrBG, Blues and YlGnBu, after Harrower and Brewer 2003).
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any

import numpy as np

NDSI_THRESHOLD = 0.3

COLOUR_MAPS: dict[str, dict[str, Any]] = {
    "ndsi": {
        "name": "ndsi",
        "label": "snow and ice, not glacier",
        "units": "NDSI (unitless)",
        "vmin": -0.2,
        "vmax": 0.9,
        "threshold": NDSI_THRESHOLD,
        "stops": [
            [-0.2, "#7f4f0e"], [0.05, "#c69a4f"], [0.2, "#e9d8ab"], [0.3, "#f4f1e6"], [0.4, "#cfe3ee"],
            [0.6, "#6aaed6"], [0.75, "#2e7ebc"], [0.9, "#08408a"],
        ],
        "nodata": {"colour": "#8a8f96", "pattern": "hatch", "label": "no data or cloud"},
    },
    "probability": {
        "name": "probability",
        "label": "probability of ice",
        "units": "probability (0 to 1)",
        "vmin": 0.0,
        "vmax": 1.0,
        "threshold": 0.5,
        "stops": [[0.0, "#eef4fb"], [0.25, "#c6dbef"], [0.5, "#85bbdc"], [0.75, "#3584bf"], [1.0, "#08306b"]],
        "nodata": {"colour": "#8a8f96", "pattern": "hatch", "label": "not observed"},
    },
    "speed": {
        "name": "speed",
        "label": "speed of what moved between two scenes",
        "units": "m a year",
        "vmin": 0.0,
        "vmax": 200.0,
        "stops": [[0.0, "#ffffd9"], [25.0, "#c7e9b4"], [60.0, "#41b6c4"], [120.0, "#225ea8"], [200.0, "#081d58"]],
        "nodata": {"colour": "#8a8f96", "pattern": "hatch", "label": "could not be followed"},
    },
    "label": {
        "name": "label",
        "label": "labelled by an expert",
        "units": "0 or 1",
        "vmin": 0.0,
        "vmax": 1.0,
        "threshold": 0.5,
        "stops": [[0.0, "#f1ede4"], [1.0, "#2e7ebc"]],
        "nodata": {"colour": "#8a8f96", "pattern": "hatch", "label": "not labelled"},
    },
    "backscatter": {
        "name": "backscatter",
        "label": "co-polarised radar backscatter (gamma nought)",
        "units": "dB",
        "vmin": -25.0,
        "vmax": 0.0,
        "stops": [[-25.0, "#000000"], [0.0, "#ffffff"]],
        "nodata": {"colour": "#b08d57", "pattern": "hatch", "label": "not seen by the radar"},
    },
    "cross-backscatter": {
        "name": "cross-polarised backscatter",
        "label": "cross-polarised radar backscatter (gamma nought)",
        "units": "dB",
        "vmin": -32.0,
        "vmax": -5.0,
        "stops": [[-32.0, "#000000"], [-5.0, "#ffffff"]],
        "nodata": {"colour": "#b08d57", "pattern": "hatch", "label": "not seen by the radar"},
    },
    "coherence": {
        "name": "coherence",
        "label": "interferometric coherence of 12 days: moving or changing ground is dark",
        "units": "coherence (0 to 1)",
        "vmin": 0.0,
        "vmax": 1.0,
        "stops": [[0.0, "#081d58"], [0.25, "#225ea8"], [0.5, "#41b6c4"], [0.75, "#c7e9b4"], [1.0, "#ffffd9"]],
        "nodata": {"colour": "#8a8f96", "pattern": "hatch", "label": "not measured"},
    },
    "true-colour": {
        "name": "true-colour",
        "label": "red, green and blue reflectance, brightened for snow and rock alike",
        "units": "reflectance",
        "vmin": 0.0,
        "vmax": 0.95,
        "gamma": 1.6,
        "nodata": {"colour": "#8a8f96", "pattern": "hatch", "label": "no data or cloud"},
    },
    "hillshade": {
        "name": "hillshade",
        "label": "relief lit from the north-west",
        "units": "illumination (0 to 1)",
        "azimuth_degrees": 315.0,
        "altitude_degrees": 45.0,
    },
}  # fmt: skip

CLEAR, HATCH, BETWEEN, FIRST = 0, 1, 2, 3
"""Palette entries: outside, the two tones of the hatch over missing data, and the first colour of the ramp."""


@lru_cache
def style_hash(name: str) -> str:
    """Eight characters that change with the definition."""
    told = json.dumps(COLOUR_MAPS[name], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:8]


@lru_cache
def palette(name: str) -> np.ndarray:
    """uint8 (256, 4) RGBA: outside, hatch, hatch, and 253 steps from vmin to vmax."""
    colours = COLOUR_MAPS[name]
    values = np.linspace(colours["vmin"], colours["vmax"], 256 - FIRST)
    places = [place for place, _ in colours["stops"]]
    channels = np.array([_rgb(text) for _, text in colours["stops"]], dtype=float)
    found = np.full((256, 4), 255, dtype=np.uint8)
    for channel in range(3):
        found[FIRST:, channel] = np.rint(np.interp(values, places, channels[:, channel]))
    grey = _rgb(colours["nodata"]["colour"])
    found[CLEAR], found[HATCH], found[BETWEEN] = (0, 0, 0, 0), (*grey, 190), (*grey, 70)
    return found


def _rgb(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
