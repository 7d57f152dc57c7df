"""What a fresh system should do by itself: teach the first networks, map the glaciers, issue the first forecasts.

`wanted` reads from the rows what is missing now, so that the starter can be killed and run again at any time; it
keeps no state of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from glacierweb.models import Run
from inventory.models import AreaOfInterest, Glacier, Outline, Scene
from predictions import params, versions
from predictions.models import Forecast, ModelVersion

FEWEST_QUARTERS = 16
"""Frames that a split in time needs: four to read and four to say, twice."""
TRANSFER_QUARTERS = 8
MANY_SCENES = 40
RECENT_YEARS = 8
BACKGROUND = (("segment", "resnet50-unet"), ("forecast", "lstm"), ("forecast", "conv-lstm"))


@dataclass(frozen=True)
class Wish:
    """A run that somebody should ask for, and what it is in words."""

    kind: str
    payload: dict[str, Any]
    words: str
    can_wait: bool = False
    """To be asked for when everything that cannot wait has been done."""

    @property
    def complete(self) -> dict[str, Any]:
        """The parameters as they are stored."""
        return params.to_dict(params.read(self.kind, self.payload))


def wanted() -> Iterator[Wish]:
    """What is missing at this moment, the most urgent first."""
    places = list(_places())
    for teach in (_first_mapper, _first_forecaster):
        for aois in places:
            yield from teach(aois)
    for aois in places:
        yield from _first_outlines(aois)
        yield from _forecasts(aois)
        yield from _area_series(aois)


def background() -> Iterator[Wish]:
    """Further networks, once the first results are there: each asked for once, whatever became of it."""
    for aois in _places():
        for task, architecture in BACKGROUND:
            first = versions.active(task, versions.scope_of(aois))
            if first is None or "data" not in first.trained_by.params:
                continue
            same = {key: first.trained_by.params[key] for key in ("data", "split")}
            wish = Wish("train", {"architecture": architecture, **same}, f"teach {architecture} (small), {_name(aois)}")
            if not Run.objects.filter(kind="train", params=wish.complete).exists():
                yield wish


def scenes_on_their_way() -> int:
    """Runs that still look for scenes or fetch them."""
    live = Q(state__in=[Run.State.QUEUED, Run.State.RUNNING])
    return Run.objects.filter(live, kind__in=["find_scenes", "fetch_scene", "import_outlines"]).count()


def _places() -> Iterator[list[AreaOfInterest]]:
    """Areas of interest that have scenes, those of the simulated world together, every other one by itself."""
    stored = Scene.objects.filter(state=Scene.State.STORED, item__aoi__isnull=False)
    keys = set(stored.exclude(kind="dem").values_list("item__aoi", flat=True))
    areas = list(AreaOfInterest.objects.filter(pk__in=[key for key in keys if isinstance(key, int)]).order_by("pk"))
    if simulated := [aoi for aoi in areas if aoi.simulated]:
        yield simulated
    yield from ([aoi] for aoi in areas if not aoi.simulated)


def _name(aois: list[AreaOfInterest]) -> str:
    return aois[0].name if len(aois) == 1 else f"{len(aois)} simulated areas"


def _scenes(aois: list[AreaOfInterest], kind: str) -> QuerySet[Scene]:
    inside = Q(item__aoi__in=[aoi.pk for aoi in aois])
    return Scene.objects.filter(inside, kind=kind, state=Scene.State.STORED)


def _accepted(scenes: QuerySet[Scene], profile: str) -> list[Scene]:
    return [scene for scene in scenes.only("refusals", "acquired") if scene.refusals.get(profile) == []]


def _first_mapper(aois: list[AreaOfInterest]) -> Iterator[Wish]:
    """A random forest where there are scenes with truth and no active version."""
    if versions.active("segment", versions.scope_of(aois)):
        return
    labels = _scenes(aois, "label").exists()
    if not _accepted(_scenes(aois, "reflectance"), "outline" if labels else "area"):
        return
    drawn = Outline.objects.filter(glacier__in=_glaciers(aois), preferred=True)
    if labels or drawn.exists():
        data = {"aois": [aoi.pk for aoi in aois]}
        payload = {"architecture": "random-forest", "data": data, "split": "years"}
        yield Wish("train", payload, f"teach a random forest, {_name(aois)}")


def _first_forecaster(aois: list[AreaOfInterest]) -> Iterator[Wish]:
    """The default forecaster where the record is long enough, or for spatial transfer where it has one window only."""
    if versions.active("forecast", versions.scope_of(aois)):
        return
    data = {"aois": [aoi.pk for aoi in aois if _quarters(aoi) >= TRANSFER_QUARTERS]}
    if not data["aois"]:
        return
    longest = max(_quarters(aoi) for aoi in aois)
    payload = {"architecture": "default-forecaster", "data": data}
    if longest >= FEWEST_QUARTERS:
        yield Wish("train", payload, f"teach the default forecaster, {_name(aois)}")
    elif _scenes(aois, "ndsi").exists():
        yield Wish("train", payload | {"split": "spatial"}, f"teach the default forecaster (transfer), {_name(aois)}")


def _quarters(aoi: AreaOfInterest) -> int:
    """Calendar quarters that have a scene fit for a forecast; of some scenes only the year is known."""
    ready = _scenes([aoi], "ndsi").exclude(date_precision="year").only("refusals", "acquired")
    usable = list(ready) or _accepted(_scenes([aoi], "reflectance").exclude(date_precision="year"), "forecast")
    return len({(scene.acquired.year, (scene.acquired.month - 1) // 3) for scene in usable})


def _glaciers(aois: list[AreaOfInterest]) -> QuerySet[Glacier]:
    inside = Q(pk__in=[])
    for aoi in aois:
        inside |= Q(domain__intersects=aoi.polygon, simulated=aoi.simulated)
    return Glacier.objects.filter(inside).order_by("pk")


def _profile(aois: list[AreaOfInterest]) -> str:
    """The profile of area series: scenes of which only the year is known pass the one of outlines."""
    return "outline" if _scenes(aois, "reflectance").filter(date_precision="year").exists() else "area"


def _first_outlines(aois: list[AreaOfInterest]) -> Iterator[Wish]:
    """Where there are many scenes the newest years come first: the rest of the series waits for the first forecast."""
    version, glacier = versions.active("segment", versions.scope_of(aois)), _glaciers(aois).first()
    scenes = _accepted(_scenes(aois, "reflectance"), _profile(aois))
    if version is None or glacier is None or len(scenes) <= MANY_SCENES:
        return
    first = max(scene.acquired.year for scene in scenes) - RECENT_YEARS + 1
    recent = {"glacier": glacier.glac_id, "version": version.pk, "profile": _profile(aois), "from": f"{first}-01-01"}
    whole = Wish("area_series", recent | {"from": None}, "the whole series")
    wish = Wish("area_series", recent, f"map the scenes since {first}, {_name(aois)}")
    if not _done(whole) and not _done(wish):
        yield wish


def _done(wish: Wish) -> bool:
    return Run.objects.filter(kind=wish.kind, params=wish.complete, state=Run.State.DONE).exists()


def _area_series(aois: list[AreaOfInterest]) -> Iterator[Wish]:
    """A series of every glacier that the active version has not measured yet."""
    version = versions.active("segment", versions.scope_of(aois))
    if version is None:
        return
    profile = _profile(aois)
    for glacier in _glaciers(aois):
        payload = {"glacier": glacier.glac_id, "version": version.pk, "profile": profile}
        name = glacier.name or glacier.glac_id
        wish = Wish("area_series", payload, f"measure {name} by version {version.pk}", can_wait=True)
        if not _done(wish):
            yield wish


def _forecasts(aois: list[AreaOfInterest]) -> Iterator[Wish]:
    """A forecast by the active version of every area that it learned from."""
    version: ModelVersion | None = versions.active("forecast", versions.scope_of(aois))
    if version is None:
        return
    taught_on = version.trained_by.params.get("data", {}).get("aois", [])  # a version may come from elsewhere
    for aoi in aois:
        if aoi.pk in taught_on and not Forecast.objects.filter(aoi=aoi, version=version).exists():
            yield Wish("forecast", {"aoi": aoi.pk, "version": version.pk}, f"forecast {aoi.name}")
