"""Valleys side by side with a divide between them, the ground's roughness, and its shadow at a sun's azimuth.

Row 0 is the north edge, column 0 the west edge. Valleys run along the columns; whether they fall to the south or to
the north is the seed's choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter, label, map_coordinates

from .noise import fractal, patches
from .profiles import Profile

TOP_M, BOTTOM_M = 4100.0, 2200.0  # of a valley's floor
WALL_M = 400.0  # from the floor to the divide
RELIEF_SLOPE = 2.6
UNDER_ICE_SIGMA_PX = 6.0  # rough relief does not move with the ice and would look like ice that stands still
DIVIDE_PX = 4  # the least distance of ice from a divide


@dataclass(frozen=True)
class Valley:
    """One valley and the largest extent of its ice."""

    pool: np.ndarray  # (H, W) bool
    across: np.ndarray  # (H, W), -1 and 1 at the margins of the ice, 0 on its axis
    direction: np.ndarray  # (2, H, W): east and north part of the unit vector down the axis


@dataclass(frozen=True)
class Terrain:
    """The ground: elevation in metres (H, W) float32, and its valleys from west to east."""

    dem: np.ndarray
    valleys: tuple[Valley, ...]

    @property
    def pool(self) -> np.ndarray:
        """Largest extent of all ice, (H, W) bool."""
        return np.logical_or.reduce([valley.pool for valley in self.valleys])


@dataclass(frozen=True)
class _Shape:
    axis: np.ndarray  # (H, 1) column of the valley's axis in each row
    floor_m: np.ndarray  # (H, 1)
    half_width_px: np.ndarray  # (H, 1) of the ice


def build(rng: np.random.Generator, size: int, count: int, profile: Profile) -> Terrain:
    """`count` glacier valleys on `size` x `size` pixels."""
    shapes = [_shape(rng, size, count, number) for number in range(count)]
    surfaces = np.stack([_surface(shape, size, count) for shape in shapes])
    owner = surfaces.argmin(axis=0)
    pools = [_pool(rng, shape, owner == number, profile) for number, shape in enumerate(shapes)]
    pools, bumps = _pierce(rng, pools, profile)
    base = _soft_minimum(surfaces) + bumps
    dem = (base + profile.relief_sd_m * _relief(rng, np.logical_or.reduce(pools))).astype(np.float32)
    valleys = tuple(_valley(shape, pool) for shape, pool in zip(shapes, pools, strict=True))
    terrain = Terrain(dem, valleys)
    return _turned(terrain) if rng.random() < 0.5 else terrain


def _shape(rng: np.random.Generator, size: int, count: int, number: int) -> _Shape:
    lane = size / count
    row = np.arange(size, dtype=np.float64)[:, None]
    down = row / size
    sway = rng.uniform(0.05, 0.11) * min(lane, 100) * np.sin(2 * np.pi * (down * rng.uniform(0.7, 1.3) + rng.random()))
    tilt = rng.uniform(-0.03, 0.03) * (row - size / 2)
    axis = (number + 0.5) * lane + sway + tilt
    floor_m = TOP_M + rng.uniform(-60, 60) - (TOP_M - BOTTOM_M) * down ** rng.uniform(0.72, 0.85)
    return _Shape(axis, floor_m, _half_width(rng, down, min(lane, 0.45 * size)))


def _half_width(rng: np.random.Generator, down: np.ndarray, lane: float) -> np.ndarray:
    """Half width of the ice in pixels: a basin, then a tongue that tapers."""
    head, foot = rng.uniform(0.07, 0.12), rng.uniform(0.76, 0.88)
    basin, spread = rng.uniform(0.22, 0.32), rng.uniform(0.11, 0.17)
    width = rng.uniform(0.13, 0.16) + rng.uniform(0.19, 0.25) * np.exp(-(np.abs((down - basin) / spread) ** 2.6))
    closing = np.sqrt(np.clip((down - head) / 0.07, 0, 1) * np.clip((foot - down) / 0.15, 0, 1))
    return lane * width * closing


def _surface(shape: _Shape, size: int, count: int) -> np.ndarray:
    half = size / count / 2
    across = np.abs(np.arange(size)[None, :] - shape.axis) / half
    return shape.floor_m + WALL_M * np.minimum(across, 2.5) ** 1.5


def _soft_minimum(surfaces: np.ndarray, width_m: float = 25.0) -> np.ndarray:
    lowest = surfaces.min(axis=0)
    return lowest - width_m * np.log(np.exp(-(surfaces - lowest) / width_m).sum(axis=0))


def _pool(rng: np.random.Generator, shape: _Shape, own: np.ndarray, profile: Profile) -> np.ndarray:
    size = own.shape[0]
    ragged = 3.5 * fractal(rng, own.shape, 2.6)
    col = np.arange(size)[None, :]
    ice = np.abs(col - shape.axis) + ragged < shape.half_width_px
    for _ in range(profile.tributaries):
        ice |= _tributary(rng, shape, own.shape)
    inner = ~binary_dilation(~own, iterations=DIVIDE_PX)
    return _largest_part(ice & inner & (shape.half_width_px > 0))


def _tributary(rng: np.random.Generator, shape: _Shape, full: tuple[int, int]) -> np.ndarray:
    """A side branch that joins the tongue from higher up."""
    row, col = np.indices(full)
    joint = int(full[0] * rng.uniform(0.45, 0.6))
    side = rng.choice([-1, 1])
    climb = joint - row
    centre = shape.axis[joint, 0] + side * 0.9 * climb
    return (climb > 0) & (climb < 0.15 * full[0]) & (np.abs(col - centre) < 0.028 * full[0])


def _largest_part(mask: np.ndarray) -> np.ndarray:
    parts, count = label(mask)
    return mask if count < 2 else parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])


def _pierce(rng: np.random.Generator, pools: list[np.ndarray], profile: Profile) -> tuple[list[np.ndarray], np.ndarray]:
    """Nunataks: rock that stands out of the upper ice. Returns the pools without them, and their height (H, W)."""
    row, col = np.indices(pools[0].shape)
    bumps = np.zeros(pools[0].shape)
    pierced = []
    for pool in pools:
        inner = np.argwhere(~binary_dilation(~pool, iterations=9))
        upper = inner[inner[:, 0] < np.median(inner[:, 0])] if len(inner) else inner
        holes = np.zeros_like(pool)
        for top in upper[rng.integers(0, len(upper), profile.nunataks)] if len(upper) else ():
            far = np.hypot((row - top[0]) / rng.uniform(0.8, 1.6), col - top[1])
            bumps += 110 * np.exp(-((far / 3.5) ** 2))
            holes |= far < rng.uniform(2.0, 4.0)
        pierced.append(pool & ~holes)
    return pierced, bumps


def _relief(rng: np.random.Generator, ice: np.ndarray) -> np.ndarray:
    rough = fractal(rng, ice.shape, RELIEF_SLOPE)
    smooth = gaussian_filter(rough, UNDER_ICE_SIGMA_PX, mode="reflect")
    weight = gaussian_filter(binary_dilation(ice, iterations=4).astype(np.float32), 2.0)
    return weight * smooth * 0.5 + (1 - weight) * rough


def _valley(shape: _Shape, pool: np.ndarray) -> Valley:
    col = np.arange(pool.shape[1])[None, :]
    across = np.clip((col - shape.axis) / np.maximum(shape.half_width_px, 1.0), -1, 1)
    east = np.gradient(shape.axis[:, 0])
    length = np.hypot(east, 1.0)
    direction = np.stack([east / length, -1.0 / length])[:, :, None] * np.ones((1, 1, pool.shape[1]))
    return Valley(pool, across.astype(np.float32), direction.astype(np.float32))


def _turned(terrain: Terrain) -> Terrain:
    """The same ground seen in a mirror that lies east-west: the valleys fall to the north."""
    mirror = np.array([1.0, -1.0], np.float32)[:, None, None]
    valleys = tuple(
        Valley(v.pool[::-1].copy(), v.across[::-1].copy(), mirror * v.direction[:, ::-1]) for v in terrain.valleys
    )
    return Terrain(terrain.dem[::-1].copy(), valleys)


def gradient(dem: np.ndarray, pixel_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Rise towards the east and towards the north, metres a metre, (H, W) each."""
    elevation = dem.astype(np.float64)
    return np.gradient(elevation, pixel_m, axis=1), -np.gradient(elevation, pixel_m, axis=0)


def slope_deg(dem: np.ndarray, pixel_m: float) -> np.ndarray:
    """Slope (H, W) in degrees."""
    return np.degrees(np.arctan(np.hypot(*gradient(dem, pixel_m)))).astype(np.float32)


def horizon_deg(dem: np.ndarray, azimuth_deg: float, pixel_m: float, reach_px: int = 160) -> np.ndarray:
    """Elevation angle (H, W) of the horizon towards an azimuth (clockwise from north), in degrees, at least 0."""
    row, col = np.indices(dem.shape, dtype=np.float64)
    step_row, step_col = -np.cos(np.radians(azimuth_deg)), np.sin(np.radians(azimuth_deg))
    steepest = np.zeros(dem.shape)
    for far in range(1, min(reach_px, max(dem.shape)) + 1):
        place = np.stack([row + far * step_row, col + far * step_col])
        seen = map_coordinates(dem, place, order=1, mode="constant", cval=-1e4)
        steepest = np.maximum(steepest, (seen - dem) / (far * pixel_m))
    return np.degrees(np.arctan(steepest)).astype(np.float32)


def rough_ground(rng: np.random.Generator, shape: tuple[int, int], scale_px: float) -> np.ndarray:
    """Brightness pattern of rock and soil (H, W), mean 0, sd 1."""
    return 0.6 * fractal(rng, shape, 1.6) + 0.6 * patches(rng, shape, scale_px)
