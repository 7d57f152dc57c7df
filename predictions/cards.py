"""The card of a version: its figures in words and tables, and the comparison with the active version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from predictions import versions
from predictions.models import ModelVersion

HIGHER_IS_BETTER = {"iou": True, "f1": True, "precision": True, "recall": True, "mse": False, "mae": False}


@dataclass(frozen=True)
class Compared:
    """One figure of a candidate beside the active version's."""

    group: str
    metric: str
    own: float
    active: float | None

    @property
    def verdict(self) -> str:
        """Whether the candidate wins, loses or equals; empty where there is nothing to compare with."""
        if self.active is None:
            return ""
        if self.own == self.active:
            return "equal"
        return "wins" if (self.own > self.active) == HIGHER_IS_BETTER[self.metric] else "loses"

    @property
    def difference(self) -> float | None:
        """Own minus active."""
        return None if self.active is None else self.own - self.active


def brief(version: ModelVersion) -> dict[str, Any]:
    """One line of the list of versions."""
    rule = versions.HEADLINES[version.task]
    return {"version": version, "metric": rule.metric, "headline": versions.headline(version)}


def card(version: ModelVersion) -> dict[str, Any]:
    """All that a card shows; empty where it was not measured."""
    active = versions.active(version.task, version.scope)
    rival = active if active and active.pk != version.pk else None
    metrics = version.metrics
    return {
        **brief(version),
        "active": active,
        "objection": versions.objection(version, rival) if version != active else "",
        "compared": compared(version, rival),
        "groups": groups(metrics),
        "skills": skills(metrics),
        "reliability": reliability(metrics),
        "interval": interval(metrics),
        "charts": {"curves": curves(version), "reliability": reliability(metrics)},
        "snapshot": snapshot(version.data_snapshot),
    }


def compared(version: ModelVersion, active: ModelVersion | None) -> list[Compared]:
    """Every figure that both have, overall and by group: the candidate's wins and losses."""
    if active is None:
        return []
    own, theirs = groups(version.metrics), groups(active.metrics)
    return [
        Compared(group, metric, value, theirs.get(group, {}).get(metric))
        for group, figures in own.items()
        for metric, value in figures.items()
        if metric in theirs.get(group, {})
    ]


def groups(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Figures by group of held-out data: overall, each region (or year, or tile), and each lead of a forecast."""
    found = {"overall": _figures(metrics.get("overall", {}))}
    for name, figures in metrics.get("per_group", {}).get("regions", {}).items():
        found[name] = _figures(figures)
    scores = metrics.get("scores", {})
    for metric in ("mse", "mae", "iou"):
        for lead, value in enumerate(scores.get(metric) or [], start=1):
            if isinstance(value, int | float):
                found.setdefault(f"lead {lead}", {})[metric] = float(value)
    return {name: figures for name, figures in found.items() if figures}


def skills(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Hindcast skill beside each baseline, pooled over leads, with the 95 % interval."""
    return [
        {"baseline": name, "skill": one.get("pooled"), "lo": one.get("lo"), "hi": one.get("hi")}
        for name, one in metrics.get("skills", {}).items()
    ]


def reliability(metrics: Mapping[str, Any]) -> list[dict[str, float]]:
    """Points of the reliability diagram: mean confidence, share that was right, and pixels in the bin."""
    bins = metrics.get("reliability") or []
    known = bins.get("bins", []) if isinstance(bins, Mapping) else bins
    return [one for one in known if isinstance(one, Mapping) and one.get("n")]


def interval(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What area intervals and trend errors of this version are made of."""
    errors = [e for e in metrics.get("area_errors", []) if isinstance(e, int | float)]
    return {
        "n": len(errors),
        "median_percent": 100 * metrics["area_error_median"] if metrics.get("area_error_median") is not None else None,
        "s_m_percent": 100 * metrics["s_m"] if metrics.get("s_m") is not None else None,
    }


def curves(version: ModelVersion) -> list[dict[str, Any]]:
    """Losses by epoch: those of the card, else those that the run reported."""
    return version.metrics.get("curves") or version.trained_by.curves


def snapshot(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What it learned from, as label and words."""
    rows = []
    for name, value in data.items():
        if name == "folds":
            rows.append(("held-out folds", f"{len(value)}: each scene is mapped by weights that never saw it"))
        elif isinstance(value, list):
            rows.append((name, f"{len(value)}: {_some(sorted(set(map(str, value))))}"))
        elif isinstance(value, Mapping):
            rows.append((name, "; ".join(f"{key}: {_length(one)}" for key, one in value.items())))
        else:
            rows.append((name, str(value)))
    return rows


def _figures(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if name in HIGHER_IS_BETTER and isinstance(value, int | float) and not isinstance(value, bool)
    }


def _some(words: list[str], most: int = 8) -> str:
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def _length(value: Any) -> str:
    return f"{len(value)} entries" if isinstance(value, list | dict) else str(value)
