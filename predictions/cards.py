"""The card of a version: its figures in words and tables, and the comparison with the active version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.urls import reverse

from glacierweb.models import Run
from predictions import versions
from predictions.models import ModelVersion
from predictions.params import KINDS, public_name

BASELINES = ("seasonal persistence", "climatology", "persistence", "linear trend")
"""The order in which they are shown: those that a forecast must beat come first."""
HIGHER_IS_BETTER = {"ci": True, "iou": True, "f1": True, "precision": True, "recall": True, "mse": False, "mae": False}


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
    beside, figures = compared(version, rival), {**groups(version.metrics), **without_network(version.metrics)}
    names = [name for name in HIGHER_IS_BETTER if any(name in row for row in figures.values())]
    return {
        **brief(version),
        "active": active,
        "objection": versions.objection(version, rival) if rival or not active else "",
        "compared": beside,
        "wins": sum(row.verdict == "wins" for row in beside),
        "losses": sum(row.verdict == "loses" for row in beside),
        "groups": figures,
        "metric_names": names,
        "figure_rows": [{"group": g, "values": [row.get(name) for name in names]} for g, row in figures.items()],
        "skills": skills(version.metrics),
        "chips": chips(version.metrics.get("chips", [])),
        "diagram": diagram(version.metrics),
        "interval": interval(version.metrics),
        "charts": {"curves": curves(version)},
        "snapshot": snapshot(version.data_snapshot),
        "evaluations": evaluations(version.metrics),
    }


def asked_of(run: Run) -> list[tuple[str, str]]:
    """(name, words) of a run's parameters, in the order of their definition; those without a value are left out."""
    kind = KINDS.get(run.kind)
    order = [public_name(field) for field in fields(kind)] if kind else []
    names = [*[name for name in order if name in run.params], *[name for name in run.params if name not in order]]
    rows = [(name, run.params[name]) for name in names]
    rows = [pair for row in rows for pair in ([row] if not isinstance(row[1], dict) else row[1].items())]
    return [(name, _words(value)) for name, value in rows if value not in (None, [], "")]


def made_by(run: Run) -> list[tuple[str, str]]:
    """(label, address) of what a run made, for its page."""
    found = []
    if isinstance(pk := run.result.get("version"), int):
        found.append((f"Version {pk}", reverse("model-page", args=[pk])))
    if run.kind == "area_series" and isinstance(glac_id := run.params.get("glacier"), str):
        found.append((f"Glacier {glac_id}", f"/#v=1&g={glac_id}"))
    if run.result.get("predicted"):
        found.append(("Predicted chips (GeoTIFF, one layer a lead)", reverse("run-chips", args=[run.pk])))
    for key, name in (("forecast", "forecast"), ("mask", "mask"), ("flow", "flow")):
        if isinstance(pk := run.result.get(key), int):
            found.append((f"{key.capitalize()} {pk} (JSON)", reverse(name, args=[pk])))
    return found


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


def without_network(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """What baselines reach on the same held-out data, where they have the figures of a version (not those of skill)."""
    found = {f"baseline: {name}": _figures(one) for name, one in metrics.get("baselines", {}).items()}
    return {name: figures for name, figures in found.items() if figures}


def chips(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of an evaluation table of predicted chips; by terrain only where there is more than one kind."""
    kinds = {row["terrain"] for row in table} - {"all"}
    return [row for row in table if row["terrain"] == "all" or len(kinds) > 1]


def skills(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Skill beside each baseline, pooled over leads, with its 95 % interval and the baseline's own error."""
    baselines = metrics.get("baselines", {})
    return [
        {
            "baseline": name,
            "mse": baselines.get(name, {}).get("pooled_mse"),
            **{key: one.get(key) for key in ("pooled", "lo", "hi")},
        }
        for name, one in sorted(metrics.get("skills", {}).items(), key=lambda item: _place(item[0]))
    ]


def diagram(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Points of the reliability diagram on a square of 220 units: confidence to the right, share that was right up."""
    table = metrics.get("reliability") or {}
    table = table.get("after", table)  # networks are calibrated: what they say after it is what a mask holds
    bins = zip(table.get("count", []), table.get("confidence", []), table.get("accuracy", []), strict=False)
    return [
        {
            "x": round(20 + 220 * confidence, 1),
            "y": round(220 - 220 * accuracy, 1),
            "confidence": f"{confidence:.2f}",
            "accuracy": f"{accuracy:.2f}",
            "n": n,
        }
        for n, confidence, accuracy in bins
        if n and confidence is not None and accuracy is not None
    ]


def interval(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What area intervals and trend errors of this version are made of."""
    errors = [e for e in metrics.get("area_errors", []) if isinstance(e, int | float)]
    return {
        "n": len(errors),
        "median_percent": 100 * metrics["area_error_median"] if metrics.get("area_error_median") is not None else None,
        "s_m_percent": 100 * metrics["s_m"] if metrics.get("s_m") is not None else None,
        "s_m_from": metrics.get("s_m_from", ""),
        "errors_from": metrics.get("area_errors_from", ""),
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


def evaluations(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was measured after the training, the newest first: on what, the figures, and what of it had taught."""
    rows = []
    for run, one in sorted(metrics.get("evaluations", {}).items(), key=lambda item: -int(item[0])):
        parts = one.get("scenes") or Counter(
            "seen" if area.get("seen_in_training") else "unseen" for area in one.get("areas", {}).values()
        )
        places = ", ".join(f"{name} {_words(value)}" for name, value in one.get("data", {}).items() if value)
        counted = ", ".join(f"{n} {how.replace('_', ' ')}" for how, n in sorted(parts.items()))
        figures = [(name, value) for name, value in _figures(one.get("overall", {})).items()]
        rows.append({"run": run, "data": places, "counted": counted, "figures": figures})
    return rows


def _place(baseline: str) -> tuple[int, str]:
    return (BASELINES.index(baseline) if baseline in BASELINES else len(BASELINES), baseline)


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


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
