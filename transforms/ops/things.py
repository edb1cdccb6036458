"""Stuff and things: which parts of a frame go on sideways, and which stand there once.

A wall, a floor or a carpet is stuff: what a row shows of it, much of that row shows. A plant, a picture or a chair is a
thing (Adelson, "On seeing stuff", 2001). A scene is extended with stuff; a thing copied a second time is what the eye
finds first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.color_difference import lab_of
from transforms.ops.extension import frame_of

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class StuffSettings:
    """What counts as the same stuff; shares are of the frame's shorter side unless said otherwise.

    Attributes:
        cell: side of the cells that are compared.
        reach: rows of cells above and below that count as the same row.
        apart: CIE76 between the mean colours of two cells of the same stuff, at most.
        rougher: difference of their lightnesses' standard deviations, at most.
        support: the share of a row that must look like a cell for it to be stuff.
        grow: cells by which a thing is widened: its shadow and its blurred edge belong to it.
        span: what lies between two parts of one thing in a row or a column, no further apart than this, belongs to it:
            the mount inside a picture's frame, the wall between a chair's rungs.
    """

    cell: float = 0.022
    reach: int = 2
    apart: float = 11.0
    rougher: float = 7.0
    support: float = 0.2
    grow: int = 1
    span: float = 0.3


SETTINGS = StuffSettings()
# How deep into the frame a band looks for what it carries on, as a share of the frame's shorter side.
STRIP = 0.15


def find_things(frame: Pixels, product: Mask, settings: StuffSettings = SETTINGS) -> Mask:
    """Where a frame shows things, bool [h, w].

    Args:
        frame: uint8 [h, w, 3].
        product: bool [h, w]; the product, which is neither compared nor told of.
    """
    height, width = product.shape
    side = max(4, round(settings.cell * min(height, width)))
    rows, columns = max(1, height // side), max(1, width // side)
    looks, free = _looks(frame, side, (columns, rows)), _reduced(~product, (columns, rows)) > 0.5
    found = free & (_support(looks, free, settings) < settings.support)
    kernel = np.ones((2 * settings.grow + 1,) * 2, np.uint8)
    grown = cv2.dilate(_without_specks(found).astype(np.uint8), kernel) > 0
    whole = _closed(grown, round(settings.span * min(height, width) / side))
    return np.asarray(cv2.resize(whole.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0)


class Seams(NamedTuple):
    """What the frame offers where a band begins, shares in [0, 1].

    `stuff`: of the strips along the seams, the least share that can be carried on; `cut`: of the seams themselves, the
    greatest share where a thing is cut that nobody can complete.
    """

    stuff: float
    cut: float


def look_along_seams(canvas: Pixels, product: Mask, known: Pixels) -> Seams:
    """What lies along the painted sides of a kept frame.

    Args:
        canvas: uint8 [h, w, 3]; product: bool [h, w]; known: uint8 [h, w], 255 where kept: one rectangle.
    """
    frame = frame_of(known)
    inside = slice(frame.top, frame.bottom), slice(frame.left, frame.right)
    things = find_things(canvas[inside], product[inside])
    stuff = ~(things | product[inside])
    height, width = known.shape
    painted = (frame.top > 0, frame.bottom < height, frame.left > 0, frame.right < width)
    depth = max(1, round(STRIP * min(stuff.shape)))
    strips = [strip for strip, needed in zip(_edges(stuff, depth), painted, strict=True) if needed]
    lines = [line for line, needed in zip(_edges(things, 1), painted, strict=True) if needed]
    return Seams(
        min((float(strip.mean()) for strip in strips), default=1.0),
        max((float(line.mean()) for line in lines), default=0.0),
    )


def _edges(mask: Mask, depth: int) -> tuple[Mask, Mask, Mask, Mask]:
    """The strips above, below, left and right."""
    return mask[:depth], mask[-depth:], mask[:, :depth], mask[:, -depth:]


def _looks(frame: Pixels, side: int, size: tuple[int, int]) -> Floats:
    """Mean Lab and the lightness's standard deviation of every cell, float32 [rows, columns, 4]."""
    lab = lab_of(frame).astype(np.float32)
    mean = cv2.blur(lab, (2 * side + 1,) * 2, borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(lab[..., 0] ** 2, (2 * side + 1,) * 2, borderType=cv2.BORDER_REFLECT)
    spread = np.sqrt(np.maximum(square - mean[..., 0] ** 2, 0))
    return cv2.resize(np.dstack([mean, spread]), size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _reduced(mask: Mask, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


def _support(looks: Floats, free: Mask, settings: StuffSettings) -> Floats:
    """The share of a cell's free row that looks like it, float32 [rows, columns]."""
    support = np.ones(free.shape, np.float32)
    for row in range(len(looks)):
        band = slice(max(0, row - settings.reach), row + settings.reach + 1)
        others = looks[band][free[band]]
        if len(others):
            gap = looks[row][:, None] - others[None]
            alike = (np.linalg.norm(gap[..., :3], axis=-1) < settings.apart) & (np.abs(gap[..., 3]) < settings.rougher)
            support[row] = alike.mean(axis=1)
    return support


def _without_specks(found: Mask) -> Mask:
    """`found` without single cells: noise of the measure, not things."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8), connectivity=8)
    keep = np.arange(count) > 0
    keep &= stats[:, cv2.CC_STAT_AREA] > 1
    return np.asarray(keep[labels])


def _closed(found: Mask, span: int) -> Mask:
    """`found` with what lies between two cells of one piece, `span` cells apart at most along a row or a column."""
    count, labels = cv2.connectedComponents(found.astype(np.uint8), connectivity=8)
    whole = found.copy()
    for label in range(1, count):
        piece = np.pad((labels == label).astype(np.uint8), span)
        for shape in ((1, span + 1), (span + 1, 1)):
            closed = cv2.morphologyEx(piece, cv2.MORPH_CLOSE, np.ones(shape, np.uint8))
            whole |= closed[span:-span, span:-span] > 0
    return whole
