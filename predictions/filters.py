"""The filters of predicted outlines, masks and versions: the same for lists and downloads."""

from __future__ import annotations

from datetime import date

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict

from inventory import asking
from inventory.asking import PAGING
from inventory.filters import glac_id, region_code
from inventory.winding import as_geojson
from predictions.models import Mask, ModelVersion, PredictedOutline
from predictions.training_defaults import DEFAULTS

PREDICTED = frozenset(
    {"bbox", "datetime", "year", "region", "glac_id", "status", "area_min", "area_max", "version", "scene", "product",
     "simulated"}
)  # fmt: skip
MASKS = frozenset({"scene", "version", "product", "bbox"})
MODELS = frozenset({"task", "scope", "state", "architecture"})
MOST = 2**31 - 1
DIGITS = 6
"""Of coordinates in degrees: a tenth of a metre, a hundredth of a pixel."""


def drawn() -> QuerySet[PredictedOutline]:
    """Predicted outlines with all that a feature shows; PostGIS writes their shapes, which is much the fastest."""
    rows = PredictedOutline.objects.select_related("glacier", "mask__version", "mask__scene")
    heavy = ("geometry", "glacier__domain", "mask__scene__footprint", "mask__scene__item", "mask__scene__facts",
             "mask__version__metrics", "mask__version__data_snapshot")  # fmt: skip
    return rows.annotate(geojson=as_geojson(precision=DIGITS)).defer(*heavy)


def predicted_outlines(
    params: QueryDict, allowed: frozenset[str] = PREDICTED, formats: tuple[str, ...] = ()
) -> QuerySet[PredictedOutline]:
    """Predicted outlines that the parameters ask for, by default of active versions; 400 for a wrong parameter.

    A download names its `formats` and has no pages.
    """
    given = asking.known(params, allowed | {"format"}, formats) if formats else asking.known(params, allowed | PAGING)
    found = drawn().filter(_of_version(given), mask__product=_product(given))
    if "bbox" in given:
        found = found.filter(geometry__intersects=asking.bbox(given["bbox"]))
    if "datetime" in given:
        found = between(found, *asking.days(given["datetime"]))
    if "year" in given:
        year = asking.whole("year", given["year"], 1600, 2200)
        found = between(found, date(year, 1, 1), date(year, 12, 31))
    if "region" in given:
        found = found.filter(glacier__region_id=region_code(given["region"]))
    if "glac_id" in given:
        found = found.filter(glacier__glac_id=glac_id(given["glac_id"]))
    if "status" in given:
        found = found.filter(glacier__status=given["status"])
    if "scene" in given:
        found = found.filter(mask__scene_id=asking.whole("scene", given["scene"], 1, MOST))
    if "simulated" in given:
        wanted = asking.choice("simulated", given["simulated"].lower(), ("true", "false"))
        found = found.filter(mask__scene__simulated=wanted == "true")
    for name, compare in (("area_min", "gte"), ("area_max", "lte")):
        if name in given:
            found = found.filter(**{f"area_km2__{compare}": asking.number(name, given[name])})
    return found


def between(found: QuerySet[PredictedOutline], start: date | None, end: date | None) -> QuerySet[PredictedOutline]:
    """Those whose date or interval meets the days given, both inclusive; None is open."""
    if start is not None:
        found = found.filter(Q(date__gte=start) | Q(date_end__gte=start))
    return found.filter(date__lte=end) if end is not None else found


def masks(params: QueryDict) -> QuerySet[Mask]:
    """Masks that the parameters ask for; every version unless one is named."""
    given = asking.known(params, MASKS | PAGING)
    found = Mask.objects.select_related("scene", "version").annotate(n_outlines=Count("outlines"))
    if "scene" in given:
        found = found.filter(scene_id=asking.whole("scene", given["scene"], 1, MOST))
    if "version" in given:
        found = found.filter(version_id=asking.whole("version", given["version"], 1, MOST))
    if "product" in given:
        found = found.filter(product=asking.choice("product", given["product"], tuple(Mask.Product.values)))
    if "bbox" in given:
        found = found.filter(scene__footprint__intersects=asking.bbox(given["bbox"]))
    return found


def models(params: QueryDict) -> QuerySet[ModelVersion]:
    """Versions that the parameters ask for."""
    given = asking.known(params, MODELS | PAGING)
    if "task" in given:
        asking.choice("task", given["task"], tuple(ModelVersion.Task.values))
    if "state" in given:
        asking.choice("state", given["state"], tuple(ModelVersion.State.values))
    if "architecture" in given:
        asking.choice("architecture", given["architecture"], tuple(DEFAULTS))
    return ModelVersion.objects.filter(**{name: given[name] for name in MODELS if name in given})


def _product(given: dict[str, str]) -> str:
    return asking.choice("product", given.get("product", Mask.Product.ICE), tuple(Mask.Product.values))


def _of_version(given: dict[str, str]) -> Q:
    """One version, all of them, or the active ones; snow and ice by NDSI belongs to none."""
    wanted = given.get("version", "active")
    if wanted == "all" or (wanted == "active" and _product(given) == Mask.Product.SNOW_ICE):
        return Q()
    if wanted == "active":
        return Q(mask__version__state=ModelVersion.State.ACTIVE)
    return Q(mask__version_id=asking.whole("version", wanted, 1, MOST))
