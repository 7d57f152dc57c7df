"""Futures of snow and ice over an area of interest, with the hindcast beside the baselines."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime, time
from typing import Any

from glacierweb import paths
from glacierweb.delivery import report
from glacierweb.models import Run
from inventory.models import AreaOfInterest
from predictions import params, results
from predictions.models import Forecast
from workers.forecasting import issue
from workers.imagery import rasters
from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.tasks import stored, taught


def forecast(run: Run) -> dict[str, Any]:
    """Forecast snow and ice for an area of interest, with the hindcast beside the baselines."""
    asked, tell = params.read(run.kind, run.params), report(run)
    area = AreaOfInterest.objects.get(pk=asked.aoi)
    version = taught.version_for(asked.version, "forecast", area)
    learned = taught.load(version)
    cube = stored.record_of(area, asked.step_months, tell)
    tell(0.5, "forecasting, and forecasting the past beside the baselines")
    if learned.recipe.options.get("spatial_transfer"):
        issued, nature = issue.transfer(learned, cube, version.metrics), Forecast.Nature.SPATIAL_TRANSFER
    else:
        issued, nature = issue.issue(learned.network, learned.network.config, cube), Forecast.Nature.FORECAST
    frames = [_frame(frame, cube.grid) for frame in issued.frames]
    kept = results.save_forecast(
        run, area, version, nature, issued.issued, frames, [astuple(score) for score in issued.scores],
        issued.useful, issued.sentence, issued.notes, asked.step_months,
    )  # fmt: skip
    return {"forecast": kept.pk, "version": version.pk, "registration": dict(cube.registration)}


def _frame(frame: issue.IssuedFrame, grid: Grid) -> results.FoundFrame:
    raster = paths.scratch(".tif")
    moment = datetime.combine(frame.start, time(), UTC)
    rasters.write(Stack(frame.values[None], ("ndsi",), grid, moment), raster, encode="ndsi")
    return results.FoundFrame(
        frame.start, frame.end, frame.lead, frame.observed, raster, frame.snow_ice_km2, frame.lo_km2, frame.hi_km2
    )
