"""A heat map of a million points: arrays, and a map whose width is known only at run time. Needs numpy.

    pip install numpy
    turgo run examples/heat.py
    turgo run examples/heat.py --executor local_dask -o scheduler=threads -p points=2000000

Where points are dense the map is cut into smaller tiles, so that each holds about as much work; how many
there are depends on the points. A tile needs the points around it too, so all points go to the map as one
constant.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from turgo import flow, task, unmapped

Array = NDArray[np.float64]
Tile = tuple[int, int, int]
"""Row and column of its first pixel, and its side, in pixels."""

SHADES = " .:-=+*#%@"


@task
def scatter(points: int, seed: int) -> Array:
    """Points of the unit square around eight centres: shape (points, 2), columns x and y, sorted by y."""
    random = np.random.default_rng(seed)
    centres = random.uniform(0.1, 0.9, size=(8, 2))
    spread = random.uniform(0.01, 0.1, size=8)
    chosen = random.integers(0, 8, size=points)
    found = centres[chosen] + random.normal(size=(points, 2)) * spread[chosen, None]
    found = found[((found >= 0) & (found < 1)).all(axis=1)]
    return found[np.argsort(found[:, 1], kind="stable")]


@task
def cut(points: Array, pixels: int, most: int) -> list[Tile]:
    """Quarter the map until no tile holds more than `most` points or is smaller than 8 pixels."""
    counts = count(points, 0, 0, pixels, pixels)
    tiles: list[Tile] = []
    uncut = [(0, 0, pixels)]
    while uncut:
        row, column, side = uncut.pop()
        if side <= 8 or counts[row : row + side, column : column + side].sum() <= most:
            tiles.append((row, column, side))
            continue
        half = side // 2
        uncut += [(row + down, column + right, half) for down in (0, half) for right in (0, half)]
    return sorted(tiles)


def count(points: Array, row: int, column: int, side: int, pixels: int) -> Array:
    """How many points fall on each pixel of a square part of the map: shape (side, side)."""
    first, last = np.searchsorted(points[:, 1], [row / pixels, (row + side) / pixels])
    near = np.floor(points[first:last] * pixels).astype(np.int64) - (column, row)
    near = near[((near >= 0) & (near < side)).all(axis=1)]
    flat = np.bincount(near[:, 1] * side + near[:, 0], minlength=side * side)
    return flat.reshape(side, side).astype(np.float64)


@task
def warm(tile: Tile, points: Array, pixels: int, reach: int) -> Array:
    """The density of points on a tile, smoothed over `reach` pixels: shape (side, side)."""
    row, column, side = tile
    wide = count(points, row - reach, column - reach, side + 2 * reach, pixels)
    distance = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (2.5 * distance / reach) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        wide = np.apply_along_axis(np.convolve, axis, wide, kernel, mode="valid")
    return wide


@task
def assemble(tiles: list[Tile], warmed: list[Array], pixels: int) -> Array:
    """The whole map from its tiles: shape (pixels, pixels)."""
    heat = np.zeros((pixels, pixels))
    for (row, column, side), values in zip(tiles, warmed, strict=True):
        heat[row : row + side, column : column + side] = values
    return heat


@task
def draw(heat: Array, tiles: list[Tile], width: int = 64) -> str:
    """The map as text, a character for each block of pixels, and its hottest pixel."""
    block = len(heat) // width
    blocks = heat.reshape(width // 2, 2 * block, width, block).mean(axis=(1, 3))
    shades = (np.sqrt(blocks / max(blocks.max(), 1e-12)) * (len(SHADES) - 1)).astype(int)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    lines = ["".join(SHADES[shade] for shade in line).rstrip() for line in shades]
    hottest = f"{len(tiles)} tiles; hottest is pixel {int(column)}, {int(row)} with {heat.max():.3f} points"
    return "\n".join([*lines, hottest])


@flow
def heat(points: int = 1_000_000, pixels: int = 512, most: int = 20_000, seed: int = 7) -> str:
    """Draw where random points are dense, on `pixels` by `pixels`; tiles of more than `most` are cut."""
    if pixels < 64 or pixels & (pixels - 1):
        raise ValueError(f"pixels is {pixels}; it must be a power of two from 64 on")
    found = scatter(points, seed)
    tiles = cut(found, pixels, most)
    warmed = warm.map(tiles, unmapped(found), unmapped(pixels), unmapped(8))
    return draw(assemble(tiles, warmed, pixels), tiles)
