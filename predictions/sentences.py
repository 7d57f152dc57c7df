"""Results in words: short, with units and intervals, and plain about what the data cannot support."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from predictions.observations import ASSUMED, Observation
from predictions.trends import LEAST_SPAN_YEARS

NARROW = "\u202f"
MINUS = "\u2212"


def km2(value: float, half: float | None = None) -> str:
    """An area with as many digits as it deserves: 2.41 ± 0.08 km²."""
    digits = 3 if value < 1 else 2 if value < 100 else 1
    interval = f" ± {half:.{digits}f}" if half is not None else ""
    return f"{value:.{digits}f}{interval}{NARROW}km²"


def percent(value: float, digits: int = 1) -> str:
    """A signed percentage with a true minus; zero has no sign."""
    rounded = round(value, digits)
    sign = MINUS if rounded < 0 else "+" if rounded > 0 else ""
    return f"{sign}{abs(rounded):.{digits}f}{NARROW}%"


def trend_words(trend: dict[str, Any]) -> str:
    """−0.9 % ± 0.2 % per year since 1985, 31 scenes."""
    rate = percent(trend["slope_percent_per_year"], 2)
    if trend["lo_percent"] is not None:
        half = (trend["hi_percent"] - trend["lo_percent"]) / 2
        rate += f" ± {half:.2f}{NARROW}%"
    return f"{rate} per year since {int(trend['first']['decimal_year'])}, {trend['n']} scenes"


def sentence(series: Sequence[dict[str, Any]]) -> str:
    """The one line of a glacier: its newest area, and its trend where one is published, else the change known."""
    by_source = {one["source"]: one for one in series}
    drawn = by_source.get("outlines") or by_source.get("expert label")
    network = by_source.get("network")
    newest = next((one for one in (drawn, network) if one and one["observations"]), None)
    if newest is None:
        return "No area is known yet."
    words = _newest(newest["observations"][-1])
    if network and network["trend"]:
        return f"{words}; {trend_words(network['trend'])}"
    if newest["trend"]:
        return f"{words}; {trend_words(newest['trend']).replace('scenes', 'outlines')}"
    return words + _change(newest["change"])


def _newest(observation: dict[str, Any]) -> str:
    half = None
    if observation["lo"] is not None and observation["hi"] is not None:
        half = (observation["hi"] - observation["lo"]) / 2
    return f"{km2(observation['km2'], half)} in {observation['date'][:4]}"


def claims(change: dict[str, Any] | None) -> bool:
    """Whether a change between two dates may be told: 5 years apart or more, and an interval that excludes zero."""
    if change is None or change["lo_percent"] is None:
        return False
    years = int(change["to"]["date"][:4]) - int(change["from"]["date"][:4])
    return years >= LEAST_SPAN_YEARS and not change["lo_percent"] <= 0 <= change["hi_percent"]


def _change(change: dict[str, Any] | None) -> str:
    if change is None:
        return ""
    since = f"since {change['from']['date'][:4]}"
    return (
        f"; {percent(change['percent'], 0)} {since}" if claims(change) else f"; no change beyond the intervals {since}"
    )


def series_notes(observations: Sequence[Observation], reason: str, change: dict[str, Any] | None) -> list[str]:
    """What a reader of one series has to know."""
    notes = []
    years = sorted({one.date.year for one in observations})
    if any(one.year_only for one in observations):
        notes.append("Only the year of some of these is known; each such point stands for the whole year.")
    if reason and years:
        span = f"{years[0]}–{years[-1]}" if len(years) > 1 else f"{years[0]}"
        what = "no trend, only the change between dates" if claims(change) else "no claim of retreat or growth is made"
        notes.append(f"{_count(observations)} in {span}: {what} ({reason}).")
    if any(one.interval_method == ASSUMED for one in observations):
        notes.append("Intervals of ± 5 % are assumed where the source states no digitising uncertainty.")
    if n_zero := sum(one.km2 <= 0 for one in observations):
        notes.append(f"{n_zero} observation{'s' * (n_zero > 1)} without any ice: shown, and left out of the trend.")
    wild, partial = (sum(1 for one in observations if test(one)) for test in (_wild, _partial))
    if wild:
        notes.append(f"{wild} outlier{'s' * (wild > 1)} (grey), left out of the trend.")
    if partial:
        notes.append(
            f"{partial} scene{'s' * (partial > 1)} that saw less than 95 % of the glacier, left out of the trend."
        )
    return notes


def identity_notes(found: dict[str, Any] | None) -> list[str]:
    """What a reader must be told of a glacier that vanished or fell apart."""
    notes = []
    if found and found["vanished_since"]:
        notes.append(
            f"No ice of 0.01 km² or more was found in any scene since {found['vanished_since']}: perhaps extinct."
        )
    if found and found["split_since"]:
        pieces = ", ".join(f"{one['id']} ({km2(one['km2'])})" for one in found["children"])
        notes.append(f"Fell apart by {found['split_since']} and keeps its identifier; its pieces: {pieces}.")
    return notes


def _wild(one: Observation) -> bool:
    return one.outlier


def _partial(one: Observation) -> bool:
    return "partial_coverage" in one.flags


def _count(observations: Sequence[Observation]) -> str:
    return f"{len(observations)} observation{'s' * (len(observations) != 1)}"
