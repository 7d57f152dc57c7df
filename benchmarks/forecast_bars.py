"""Bars of the forecasters: the default one and the published ones on simulated quarters, and the real Parvati quarters.

Worlds, cubes and bars are those of forecast_worlds.py, smaller (128 px) so that all of it ends in minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import forecast_worlds
import parvati_transfer
import science_pictures
import video_worlds
from real_data import DATA, Part, needs
from science_page import Row, over, told, under

from workers.forecasting import rollout
from workers.forecasting.baselines import all_baselines
from workers.imagery.cubes import Cube
from workers.imagery.simulate.profiles import PROFILES
from workers.learning import recipes
from workers.learning.trained import Trained

SIZE, SCENES = 128, "full"
PUBLISHED = ("lstm", "conv-lstm", "unet", "sa-lstm-h")
AHEAD_OF_PERSISTENCE = 0.8
PARVATI = {"default-forecaster": parvati_transfer.BEST, **dict.fromkeys(parvati_transfer.HELD, parvati_transfer.EACH)}
"""Forecaster -> bar of its spatial transfer."""
VIDEO_STEPS, VIDEO_WORLDS, VIDEO_CLOUD = 300, 2, 0.45


def cube_of(seed: int, kind: str) -> Cube:
    """The quarters of one of the two worlds of a seed."""
    return forecast_worlds.cube_of(seed, kind, forecast_worlds.worlds(PROFILES["easy"])[kind], SIZE, SCENES)


def default_forecaster(seeds: Sequence[int]) -> Iterator[Row]:
    """Against persistence, seasonal persistence and climatology, on both worlds of each seed."""
    for seed in seeds:
        for kind, climatology_bar in forecast_worlds.CLIMATOLOGY_BAR.items():
            cube = cube_of(seed, kind)
            trained = recipes.train_forecaster("default-forecaster", "small", cube)
            found = forecast_worlds.ratios(trained.metrics)
            note = f"seed {seed}, {kind}, {SIZE} px, {len(cube.values)} quarters"
            for base, bar in {**forecast_worlds.BARS, "climatology": climatology_bar}.items():
                yield under(f"default forecaster: MSE over that of {base}, {kind}", found[base], bar, note=note)
            strips(trained, cube, f"seed {seed}, {kind}", f"forecast_seed_{seed}_{kind.split()[0]}")


def strips(trained: Trained, cube: Cube, title: str, name: str) -> None:
    """The first forecast of the held-out end as pictures."""
    first = rollout.issue_indices(len(cube.values), 4, 0.2, 4)[0]
    learned, past = trained.learned.network, cube.values[:first]
    said = rollout.forecast(learned, learned.config, past, cube.months, 4)[0]
    simple = all_baselines(past, 4, cube.months)
    rows = {"truth": cube.values[first : first + 4], "forecast": said}
    rows |= {base: simple[base] for base in ("persistence", "seasonal persistence", "climatology")}
    science_pictures.forecast_strips(rows, f"NDSI forecast, simulated, {title}", name)


def published_networks(seeds: Sequence[int]) -> Iterator[Row]:
    """The small presets of the published networks on the stationary world of the first seed."""
    cube = cube_of(seeds[0], "stationary")
    for name in PUBLISHED:
        found = forecast_worlds.ratios(recipes.train_forecaster(name, "small", cube).metrics)
        rest = f"{found['seasonal persistence']:.2f} x seasonal persistence, {found['climatology']:.2f} x climatology"
        yield under(f"{name} (small): MSE over that of persistence", found["persistence"], AHEAD_OF_PERSISTENCE,
                    note=f"seed {seeds[0]}, stationary; {rest}")  # fmt: skip


def parvati(name: str) -> Part:
    """The part of one forecaster: real data, spatial transfer of the Parvati quarters 2019 to 2021, scored on columns
    that were held out. The default forecaster has the bar of the best one."""

    @needs("scenes/parvati_ndsi")
    def transfer(seeds: Sequence[int]) -> Iterator[Row]:
        folder = DATA / "scenes" / "parvati_ndsi"
        seen, target = parvati_transfer.quarters(folder, 2019), parvati_transfer.quarters(folder, 2021)
        settings = recipes.with_settings(name, "small", seed=seeds[0])
        options = {"residual": parvati_transfer.RESIDUAL.get(name, "last")}
        found = recipes.train_transfer(name, "small", seen, target, settings, **options).metrics
        beside = ", ".join(f"{base} {score['pooled_mse']:.4f}" for base, score in found["baselines"].items())
        title, mse = f"Parvati, spatial transfer (real): {name}, MSE", found["scores"]["pooled_mse"]
        note = f"columns held out; no forecast skill; {beside}"
        yield under(title, mse, PARVATI[name], "{:.4f}", note) if name in PARVATI else told(title, f"{mse:.4f}", note)

    return transfer


def video(seeds: Sequence[int]) -> Iterator[Row]:
    """The small SVG-LP beside persistence on a world of the first seed, once as it is, once with a last observed frame
    under cloud."""
    first = 1000 * seeds[0] + 800
    network, taught = video_worlds.taught_on(range(first, first + VIDEO_WORLDS), VIDEO_STEPS, VIDEO_CLOUD)
    for last_cloud, sky in ((0.0, "last frame clear"), (VIDEO_CLOUD, "last frame under cloud")):
        found = video_worlds.compared(network, taught, first + VIDEO_WORLDS, last_cloud)
        ahead = found.ahead_of("persistence")
        yield over(f"SVG-LP (small), {sky}: mean CI ahead of persistence at t2", ahead["mean"], found.bar, "{:+.3f}",
                   f"95 % {ahead['lo']:+.3f} to {ahead['hi']:+.3f}; {VIDEO_STEPS} steps; {found.note}")
