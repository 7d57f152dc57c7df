"""Which passes a world has, and which six of a year a careful person would keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from .clouds import amount
from .noise import generator
from .profiles import Profile
from .sensors import BY_CODE, SENSORS, Sensor

STRIPES_COUNT_AS_CLOUD = 0.3
SPARSE = range(1990, 1999)  # few receptions were kept
SPARSE_KEPT = 0.4


@dataclass(frozen=True)
class Pass:
    """One acquisition: sensor, day, and the share of the image under cloud."""

    sensor: Sensor
    day: date
    cloud_share: float

    @property
    def decimal_year(self) -> float:
        """Y + (day of year - 1) / days in Y."""
        return decimal_year(self.day)


def decimal_year(day: date) -> float:
    """Y + (day of year - 1) / days in Y; 1984-04-18 is 1984.295082."""
    first = date(day.year, 1, 1)
    return day.year + (day - first).days / (date(day.year + 1, 1, 1) - first).days


def one_pass(seed: int, profile: Profile, code: str, day: date) -> Pass:
    """The pass of a sensor on a day, with its cloud; ValueError for an unknown sensor."""
    if code not in BY_CODE:
        raise ValueError(f"sensor {code!r} is not simulated: choose one of {', '.join(BY_CODE)}")
    return Pass(BY_CODE[code], day, amount(generator(seed, "cloud amount", code, day.toordinal()), profile))


def full(seed: int, profile: Profile, years: tuple[int, int], southern: bool) -> list[Pass]:
    """Every pass, thinned in the 1990s but never below the six a year that `chosen` keeps."""
    passes = [one_pass(seed, profile, s.code, day) for s in SENSORS for day in s.passes(years)]
    kept = {(p.sensor.code, p.day) for p in chosen(seed, passes, 6, southern)}
    return sorted((p for p in passes if _received(seed, p) or (p.sensor.code, p.day) in kept), key=_when)


def chosen(seed: int, passes: list[Pass], per_year: int, southern: bool) -> list[Pass]:
    """`per_year` (at least 5) passes of each year: two in late summer, one a quarter, clear ones preferred."""
    if per_year < 5:
        raise ValueError(
            f"scenes_per_year is {per_year}: take at least 5 (two in late summer, one a quarter) or 'full'"
        )
    years = sorted({p.day.year for p in passes})
    return sorted(
        (p for y in years for p in _of_year(seed, [q for q in passes if q.day.year == y], per_year, southern)),
        key=_when,
    )


def _of_year(seed: int, passes: list[Pass], count: int, southern: bool) -> list[Pass]:
    ranked = sorted(passes, key=lambda p: (_reluctance(seed, p), _when(p)))
    kept: list[Pass] = _first((p for p in ranked if late_summer(p.day, southern)), 2, [])
    for quarter in range(4):
        if not any(_quarter(p.day) == quarter for p in kept):
            kept = _first((p for p in ranked if _quarter(p.day) == quarter), 1, kept)
    return _first(ranked, count - len(kept), kept)


def _first(candidates: Iterable[Pass], count: int, kept: list[Pass]) -> list[Pass]:
    fresh = [p for p in candidates if p not in kept]
    return kept + fresh[: max(count, 0)]


def late_summer(day: date, southern: bool) -> bool:
    """August and September, or February and March in the south."""
    return day.month in ((2, 3) if southern else (8, 9))


def _quarter(day: date) -> int:
    return (day.month - 1) // 3


def _reluctance(seed: int, p: Pass) -> float:
    whim = generator(seed, "choice", p.sensor.code, p.day.toordinal()).uniform(0, 0.25)
    return p.cloud_share + whim + (STRIPES_COUNT_AS_CLOUD if p.sensor.slc_off(p.day) else 0.0)


def _received(seed: int, p: Pass) -> bool:
    return p.day.year not in SPARSE or generator(seed, "received", p.day.toordinal()).random() < SPARSE_KEPT


def _when(p: Pass) -> tuple[date, str]:
    return p.day, p.sensor.code


def radar_days(year: int) -> list[date]:
    """15 radar acquisitions of a year, 24 days apart."""
    return [date(year, 1, 6) + timedelta(days=24 * number) for number in range(15)]
