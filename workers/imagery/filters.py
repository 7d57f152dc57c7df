"""Which scenes are good enough for what: the published filter rules as named profiles.

`forecast` after Müller 2023; `area`, `trient`, `strict` and `train_composite` after Waismann et al.; `outline` is ours.
Where the second source contradicts itself (cloud below 10, below 20 or up to 5 percent) each limit is its own profile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from workers.imagery.bands import CANONICAL
from workers.imagery.calendar_year import is_summer, within_days

LANDSAT = frozenset(f"landsat-{n}" for n in range(4, 10))
EXPORT_LAYERS = 19  # the published pixel count runs over all layers of a Landsat export: H * W * 19
MIN_VALUES = 50_000
END_OF_ABLATION = {True: frozenset({8, 9, 10}), False: frozenset({2, 3, 4})}  # north, south
COMPOSITE_DAYS = 50


@dataclass(frozen=True)
class SceneFacts:
    """What was measured over the area of interest. Fractions are of all pixels of the window unless said otherwise.

    zero_fraction: DN 0 in all bands; nodata_fraction: no value for another reason (declared nodata, outside the file);
    invalid_fraction: either of them, or cloud, shadow, cirrus by the quality mask; cloud_fraction_aoi and
    snow_fraction: of the pixels that carry data, None without a mask or the bands for it.
    """

    n_pixels: int
    n_values: int
    n_bands: int
    nodata_fraction: float
    zero_fraction: float
    invalid_fraction: float
    valid_fraction: float
    cloud_fraction_aoi: float | None = None
    snow_fraction: float | None = None
    saturated_fraction: float | None = None
    filled_fraction: float = 0.0
    slc_off: bool = False
    band_min: dict[str, float | None] = field(default_factory=dict)
    band_max: dict[str, float | None] = field(default_factory=dict)
    band_mean: dict[str, float | None] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return asdict(self)


class Refusal(NamedTuple):
    """The rule that fired, the value it found and the limit."""

    rule: str
    value: Any
    limit: Any


@dataclass(frozen=True)
class Profile:
    """Limits of one profile; None switches a rule off. `*_up_to` includes the limit, `*_below` does not."""

    sensors: frozenset[str]
    cloud_below: float | None = None
    cloud_up_to: float | None = None
    missing_up_to: float | None = None
    invalid_below: float | None = None
    months: str = "all"
    no_nodata: bool = False
    zeros_below: float | None = None
    zeros_up_to: float | None = None
    values_above: int | None = None
    values_from: int | None = None
    quality_from: int | None = None
    composite: bool = False


PROFILES: dict[str, Profile] = {
    "forecast": Profile(frozenset({"landsat-8"}), cloud_up_to=20, missing_up_to=0.5),
    "area": Profile(
        LANDSAT - {"landsat-6"}, cloud_below=10, months="summer", no_nodata=True, zeros_below=0.10,
        values_above=MIN_VALUES, quality_from=9,
    ),
    "trient": Profile(
        frozenset({"landsat-5", "landsat-7"}), cloud_below=20, no_nodata=True, zeros_below=0.15,
        values_above=MIN_VALUES, quality_from=9,
    ),
    "strict": Profile(
        frozenset({"landsat-5", "landsat-7", "landsat-8"}), cloud_up_to=5, months="summer", no_nodata=True,
        zeros_up_to=0.10, values_from=MIN_VALUES, quality_from=9,
    ),
    "train_composite": Profile(frozenset({"landsat-5", "landsat-7", "landsat-8"}), composite=True),
    "outline": Profile(
        frozenset({f"landsat-{n}" for n in (5, 7, 8, 9)} | {"sentinel-2"}), cloud_below=10, invalid_below=0.10,
        months="end_of_ablation",
    ),
}  # fmt: skip

_Check = Callable[[Profile, Mapping[str, Any], SceneFacts, float], Refusal | None]


def judge(
    profile: str, scene_meta: Mapping[str, Any], facts: SceneFacts, lat: float, min_values: int | None = None,
    all_months: bool = False,
) -> list[Refusal]:  # fmt: skip
    """Rules of a profile that a scene breaks, each with value and limit; empty when it is accepted.

    `scene_meta` as FoundScene.meta() gives it, for `train_composite` with an `outline_date`. What a catalogue does
    not report passes (see `flags`). `min_values` overrides the 50,000 values of the profiles that ask for them;
    `all_months` drops the season. A scene or an optical band without one valid pixel is refused before all else.
    KeyError lists the profiles.
    """
    if profile not in PROFILES:
        raise KeyError(f"Profile {profile!r} is not known; use one of {', '.join(PROFILES)}.")
    if facts.valid_fraction == 0:
        return [Refusal("no_valid_pixels", 0.0, "> 0")]
    if empty := [name for name in CANONICAL if name in facts.band_mean and facts.band_mean[name] is None]:
        return [Refusal("no_valid_pixels", ", ".join(empty), "> 0 in every band")]
    rules = PROFILES[profile]
    if min_values is not None and rules.values_above is not None:
        rules = replace(rules, values_above=min_values)
    if min_values is not None and rules.values_from is not None:
        rules = replace(rules, values_from=min_values)
    if all_months:
        rules = replace(rules, months="all")
    return [refusal for check in _CHECKS if (refusal := check(rules, scene_meta, facts, lat))]


def foretold(profile: str, scene_meta: Mapping[str, Any], lat: float) -> list[Refusal]:
    """The rules of a profile that a scene breaks by what its catalogue says of it, before a pixel is fetched.

    Sensor, reported cloud, season, image quality, category; what is not reported passes. KeyError as `judge`.
    """
    if profile not in PROFILES:
        raise KeyError(f"Profile {profile!r} is not known; use one of {', '.join(PROFILES)}.")
    return [refusal for check in _FORETELLING if (refusal := check(PROFILES[profile], scene_meta, UNSEEN, lat))]


def flags(scene_meta: Mapping[str, Any], facts: SceneFacts) -> list[str]:
    """Remarks that do not refuse a scene but belong beside its results."""
    remarks = {
        "image_quality_unreported": not scene_meta.get("image_quality"),
        "cloud_unreported": scene_meta.get("cloud_percent") is None,
        "day_unknown": scene_meta.get("date_precision", "day") != "day",
        "slc_off": facts.slc_off,
        "saturated": bool(facts.saturated_fraction),
        "mostly_filled": facts.filled_fraction > 0.5,
    }
    return [name for name, holds in remarks.items() if holds]


def count_by_rule(judgements: Iterable[list[Refusal]]) -> dict[str, int]:
    """How many scenes each rule refused: what a profile that leaves nothing has to report."""
    return dict(Counter(refusal.rule for refusals in judgements for refusal in refusals))


def _sensor(p: Profile, meta: Mapping[str, Any], facts: SceneFacts, lat: float) -> Refusal | None:
    sensor = meta.get("sensor", "")
    return None if sensor in p.sensors else Refusal("sensor", sensor, sorted(p.sensors))


def _cloud(p: Profile, meta: Mapping[str, Any], facts: SceneFacts, lat: float) -> Refusal | None:
    cloud = meta.get("cloud_percent")
    if cloud is None and facts.cloud_fraction_aoi is not None:
        cloud = 100 * facts.cloud_fraction_aoi
    if cloud is None:
        return None
    if p.cloud_below is not None and not cloud < p.cloud_below:
        return Refusal("cloud", cloud, f"< {p.cloud_below:g} %")
    if p.cloud_up_to is not None and cloud > p.cloud_up_to:
        return Refusal("cloud", cloud, f"<= {p.cloud_up_to:g} %")
    return None


def _missing(p: Profile, meta: Mapping[str, Any], facts: SceneFacts, lat: float) -> Refusal | None:
    missing = facts.nodata_fraction + facts.zero_fraction
    if p.missing_up_to is not None and missing > p.missing_up_to:
        return Refusal("missing", missing, f"<= {p.missing_up_to:g}")
    if p.invalid_below is not None and not facts.invalid_fraction < p.invalid_below:
        return Refusal("invalid", facts.invalid_fraction, f"< {p.invalid_below:g}")
    return None


def _months(p: Profile, meta: Mapping[str, Any], facts: SceneFacts, lat: float) -> Refusal | None:
    day = meta.get("acquired")
    if p.months == "all" or day is None or meta.get("date_precision", "day") not in ("day", "month"):
        return None
    summer = is_summer(day, lat) if p.months == "summer" else day.month in END_OF_ABLATION[lat >= 0]
    return None if summer else Refusal("months", day.month, p.months)


def _nodata(p: Profile, meta: Mapping[str, Any], facts: SceneFacts, lat: float) -> Refusal | None:
    count = round(facts.nodata_fraction * facts.n_pixels)
    return Refusal("nodata", count, 0) if p.no_nodata and count else None


def _zeros(p: Profile, meta: Mapping[str, Any], facts: SceneFacts, lat: float) -> Refusal | None:
    if p.zeros_below is not None and not facts.zero_fraction < p.zeros_below:
        return Refusal("zeros", facts.zero_fraction, f"< {p.zeros_below:g}")
    if p.zeros_up_to is not None and facts.zero_fraction > p.zeros_up_to:
        return Refusal("zeros", facts.zero_fraction, f"<= {p.zeros_up_to:g}")
    return None


def _values(p: Profile, meta: Mapping[str, Any], facts: SceneFacts, lat: float) -> Refusal | None:
    values = facts.n_pixels * EXPORT_LAYERS
    if p.values_above is not None and not values > p.values_above:
        return Refusal("values", values, f"> {p.values_above}")
    if p.values_from is not None and values < p.values_from:
        return Refusal("values", values, f">= {p.values_from}")
    return None


def _quality(p: Profile, meta: Mapping[str, Any], facts: SceneFacts, lat: float) -> Refusal | None:
    quality = meta.get("image_quality")  # 1 worst to 9 best; 0 and None: not computed
    if p.quality_from is None or not quality or quality >= p.quality_from:
        return None
    return Refusal("image_quality", quality, f">= {p.quality_from}")


def _composite(p: Profile, meta: Mapping[str, Any], facts: SceneFacts, lat: float) -> Refusal | None:
    if not p.composite:
        return None
    category = meta.get("category")
    if category not in (None, "T1"):
        return Refusal("category", category, "T1")
    outline, day = meta.get("outline_date"), meta.get("acquired")
    if isinstance(outline, date) and day is not None and not within_days(day.date(), outline, COMPOSITE_DAYS):
        return Refusal("outline_date", abs((day.date() - outline).days), f"<= {COMPOSITE_DAYS} days")
    return None


_CHECKS: tuple[_Check, ...] = (_sensor, _cloud, _missing, _months, _nodata, _zeros, _values, _quality, _composite)
_FORETELLING: tuple[_Check, ...] = (_sensor, _cloud, _months, _quality, _composite)
UNSEEN = SceneFacts(
    n_pixels=0, n_values=0, n_bands=0, nodata_fraction=0, zero_fraction=0, invalid_fraction=0, valid_fraction=0
)
