"""Area series of one glacier: what analysts drew, what the active network measured, and snow and ice by NDSI.

The series are never pooled: they answer different questions with different errors. Decisions and reasons are those of
trends.py and standard_errors.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from inventory.models import Glacier
from predictions import identity, observations, sentences, standard_errors, trends, versions
from predictions.models import Mask, ModelVersion
from predictions.observations import Observation

LINE_POINTS = 41
PAPER_SIGMA_SCENES = 20.0
DAYS_SIGMA = 180.0
SNOW_AND_ICE = "snow and ice, not glacier"
NO_TREND_FROM_SNOW = "seasonal snow counts too, so no trend of the glacier is drawn from it."
LABELS = {
    "outlines": "Outlines of the inventory",
    observations.EXPERT: "Expert labels",
    "network": "Measured by the network",
    "radar": "Measured by the radar network",
    "smoothed": "Network, on scenes smoothed in time",
    "snow_ice": "Snow and ice (NDSI), not glacier",
}
SMOOTHED = {"days": Mask.Product.ICE_DAYS, "paper": Mask.Product.ICE_PAPER}


def areas(glacier: Glacier, version: ModelVersion | None = None) -> dict[str, Any]:
    """Every area series of a glacier as the API shows it; `version` replaces the active one for optical scenes.

    What radar seasons say is a series of its own: another sensor, another network, one observation a year."""
    chosen = version or versions.active_at("segment", glacier)
    found = [
        describe(name, glacier, rows, labels_only=True) for name, rows in observations.of_outlines(glacier).items()
    ]
    fate = None
    if chosen is not None and (rows := observations.of_masks(glacier, chosen, Mask.Product.ICE)):
        found.append(describe("network", glacier, rows, version=chosen))
        fate = identity.of_series(glacier, chosen, rows)
    for smoothing, product in SMOOTHED.items():
        if chosen is not None and (rows := observations.of_masks(glacier, chosen, product)):
            found.append(describe("smoothed", glacier, rows, version=chosen, smoothing=smoothing))
    radar = versions.active_at("sar", glacier)
    if radar not in (None, chosen) and (rows := observations.of_masks(glacier, radar, Mask.Product.ICE)):
        found.append(describe("radar", glacier, rows, version=radar))
    if rows := observations.of_masks(glacier, None, Mask.Product.SNOW_ICE):
        found.append(describe("snow_ice", glacier, rows))
    changes = next((sensor_changes(one["observations"]) for one in found if one["source"] == "network"), [])
    return {
        "glac_id": glacier.glac_id,
        "unit": "km2",
        "series": found,
        "sensor_changes": changes,
        "identity": fate,
    }


def summary(glacier: Glacier) -> dict[str, Any]:
    """The glacier in one sentence, and what its data cannot support."""
    whole = areas(glacier)
    found = whole["series"]
    notes = ["Simulated: nothing here was observed."] if glacier.simulated else []
    notes += list(dict.fromkeys(note for one in found for note in one["notes"]))
    notes += sentences.identity_notes(whole["identity"])
    if not any(one["source"] in ("network", "smoothed", "radar") for one in found):
        notes.append("No network has measured this glacier yet.")
    return {"sentence": sentences.sentence(found), "notes": notes}


def describe(
    source: str,
    glacier: Glacier,
    rows: Sequence[Observation],
    version: ModelVersion | None = None,
    labels_only: bool = False,
    smoothing: str = "none",
) -> dict[str, Any]:
    """One series: observations, annual means, and a trend or the reason why there is none. `smoothing`: how its scenes
    were smoothed in time before they were mapped ("none", "days", "paper")."""
    southern = glacier.point.y < 0
    usable = [one for one in rows if one.usable]
    sigma = _smoothing_sigma(smoothing, usable)
    line, reason = published_line(usable)
    between = change(usable)
    told = sentences.series_notes(rows, reason, between)
    if source == "snow_ice":
        line, reason, told = None, SNOW_AND_ICE, [NO_TREND_FROM_SNOW]
    trend = trend_of(line, sigma, mapper_sd(version), len(rows) - line.n) if line is not None else None
    if trend and line is not None:
        trend["sensors"] = sensors_around(line, usable)
    if trend and labels_only:  # people drew these: there is no mapper whose error could be missing
        trend["se_label"] = "assumes independent outlines"
    return {
        "source": source,
        "label": LABELS[source],
        "version": version.pk if version else None,
        "run": version.trained_by_id if version else None,
        "simulated": any(one.simulated for one in rows),
        "observations": [one.as_json() for one in rows],
        "annual": [
            {"year": year, "km2": mean, "se": se, "n": n}
            for year, mean, se, n in trends.annual_means([one.date for one in usable], _km2(usable), southern)
        ],
        "trend": trend,
        "no_trend_reason": reason or None,
        "change": between,
        "notes": [f"{LABELS[source]}: {note}" for note in told],
    }


def trend_of(
    line: trends.LogLinear, smoothing_sigma: float | None, mapper: float | None, n_excluded: int
) -> dict[str, Any]:
    """A published trend with every standard error that applies; the first is the one that is drawn."""
    errors = standard_errors.slope_errors(line, smoothing_sigma, mapper)
    shown = errors[0]
    at = np.linspace(line.years[0], line.years[-1], LINE_POINTS)
    fitted, lower, upper = standard_errors.band(line, shown.se, at)
    drawn = [[round(float(v), 6) for v in point] for point in zip(at, fitted, lower, upper, strict=True)]
    return {
        "n": line.n,
        "n_excluded": n_excluded,
        "slope_per_year": line.slope,
        "slope_percent_per_year": 100 * line.slope,
        "annual_change_percent": 100 * math.expm1(line.slope),
        "lo_percent": 100 * shown.lo,
        "hi_percent": 100 * shown.hi,
        "se": shown.se,
        "se_method": shown.method,
        "se_label": shown.label,
        "standard_errors": [
            {"method": e.method, "label": e.label, "se": e.se, "lo_percent": 100 * e.lo, "hi_percent": 100 * e.hi}
            for e in errors
        ],
        "r2": line.r2,
        "first": {"decimal_year": drawn[0][0], "km2": drawn[0][1]},
        "last": {"decimal_year": drawn[-1][0], "km2": drawn[-1][1]},
        "total_change_percent": 100 * line.total_change,
        "line": drawn,
    }


def sensors_around(line: trends.LogLinear, rows: Sequence[Observation]) -> list[dict[str, Any]]:
    """How far each sensor's areas lie from the trend, per cent, and whether that is a step from the sensor before."""
    years, sensors = [one.decimal_year for one in rows], [one.sensor for one in rows]
    return [
        {
            "sensor": one.sensor,
            "n": one.n,
            "residual_percent": 100 * math.expm1(one.mean),
            "se_percent": 100 * one.se,
            "flags": ["sensor_step"] if one.step else [],
        }
        for one in trends.sensor_residuals(line, years, _km2(rows), sensors)
        if one.sensor
    ]


def mapper_sd(version: ModelVersion | None) -> float | None:
    """Standard deviation of the version's slope error on held-out series of known slope, per year; None if unknown."""
    value = version.metrics.get("s_m") if version else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def change(rows: Sequence[Observation]) -> dict[str, Any] | None:
    """From the first area to the last: km², percent and a 95 % interval (errors of both dates, independent)."""
    if len(rows) < 2:
        return None
    first, last = rows[0], rows[-1]
    difference, share = last.km2 - first.km2, 100 / first.km2 if first.km2 > 0 else None
    halves = [(one.hi - one.lo) / 2 for one in (first, last) if one.lo is not None and one.hi is not None]
    half = math.hypot(*halves) if len(halves) == 2 else None
    found: dict[str, Any] = {
        "from": {"date": first.date.isoformat(), "km2": first.km2},
        "to": {"date": last.date.isoformat(), "km2": last.km2},
        "km2": difference,
        "percent": None if share is None else difference * share,
        "lo_percent": None,
        "hi_percent": None,
    }
    if share is not None and half is not None:
        found |= {"lo_percent": (difference - half) * share, "hi_percent": (difference + half) * share}
    return found


def sensor_changes(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """The first date of each sensor after the first one."""
    first: dict[str, str] = {}
    for row in rows:
        if row["sensor"]:
            first.setdefault(row["sensor"], row["date"])
    return [{"date": day, "label": sensor} for sensor, day in list(first.items())[1:]]


def published_line(rows: Sequence[Observation]) -> tuple[trends.LogLinear | None, str]:
    """The line of a series that may be published, or the reason why none is."""
    try:
        line = trends.fit([one.decimal_year for one in rows], _km2(rows))
    except trends.NoTrend as error:
        return None, str(error)
    reason = trends.unpublished(line)
    return (None, reason) if reason else (line, "")


def _smoothing_sigma(smoothing: str, rows: Sequence[Observation]) -> float | None:
    """Sigma of the temporal smoothing in scenes; None where there was none."""
    if smoothing == "paper":
        return PAPER_SIGMA_SCENES
    if smoothing != "days" or len(rows) < 2:
        return None
    days = (rows[-1].date - rows[0].date).days
    return DAYS_SIGMA / (days / (len(rows) - 1)) if days else None


def _km2(rows: Sequence[Observation]) -> list[float]:
    return [one.km2 for one in rows]
