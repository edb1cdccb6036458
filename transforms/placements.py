"""The placements: a slot's name, its pixels, its safe zone and its file limits.

The table's figures are the platforms' published specifications. Safe zones are the part of the slot that no
platform furniture covers and no crop removes, as (top, left, bottom, right) margins in fractions of the slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from transforms.errors import ConfigError
from transforms.records import Box, Size

FORMATS = ("jpeg", "png", "webp")
EXTENSIONS = {"jpeg": "jpg", "png": "png", "webp": "webp"}


@dataclass(frozen=True)
class Placement:
    """A slot of an ad platform.

    Attributes:
        name: what rows and keys call it.
        size: pixels of the finished creative.
        safe_margins: (top, left, bottom, right), fractions of height and width kept free of the product.
        file_format: `jpeg`, `png` or `webp`.
        max_bytes: the platform's limit on the file.
    """

    name: str
    size: Size
    safe_margins: tuple[float, float, float, float] = (0.05, 0.05, 0.05, 0.05)
    file_format: str = "jpeg"
    max_bytes: int = 20_000_000

    @property
    def safe_zone(self) -> Box:
        """The safe zone in pixels, half open."""
        top, left, bottom, right = self.safe_margins
        height, width = self.size
        return Box(round(top * height), round(left * width), round((1 - bottom) * height), round((1 - right) * width))


_FIELDS = tuple(field.name for field in fields(Placement))


def _check(placement: Placement) -> Placement:
    name, sides, margins = placement.name, placement.size, placement.safe_margins
    if not isinstance(name, str) or not name.strip() or name != name.strip() or "," in name:
        raise ConfigError(f"placement {name!r}: a name is some words without a comma")
    if not all(map(_is_whole, sides)) or not all(64 <= side <= 8192 for side in sides):
        raise ConfigError(f"placement {name!r}: size {tuple(sides)} is not of whole numbers within 64..8192")
    if len(margins) != 4 or not all(isinstance(margin, int | float) and 0 <= margin < 1 for margin in margins):
        raise ConfigError(
            f"placement {name!r}: safe_margins {margins} are not four shares, of top, left, bottom, right"
        )
    if margins[0] + margins[2] >= 0.9 or margins[1] + margins[3] >= 0.9:
        raise ConfigError(f"placement {name!r}: safe_margins {margins} leave no room")
    if placement.file_format not in FORMATS:
        raise ConfigError(f"placement {name!r}: file_format {placement.file_format!r} is not in {FORMATS}")
    if not _is_whole(placement.max_bytes) or placement.max_bytes < 1:
        raise ConfigError(f"placement {name!r}: max_bytes {placement.max_bytes!r} is no number of bytes")
    return placement


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


PLACEMENTS: Mapping[str, Placement] = {
    placement.name: placement
    for placement in (
        Placement("pinterest_standard", Size(1500, 1000), max_bytes=20_000_000),
        Placement("pmax_landscape", Size(628, 1200), (0.1, 0.1, 0.1, 0.1), max_bytes=5_000_000),
        Placement("pmax_square", Size(1200, 1200), (0.1, 0.1, 0.1, 0.1), max_bytes=5_000_000),
        Placement("pmax_portrait", Size(1200, 960), (0.1, 0.1, 0.1, 0.1), max_bytes=5_000_000),
        Placement("meta_feed_square", Size(1080, 1080), max_bytes=30_000_000),
        Placement("meta_feed_portrait", Size(1350, 1080), max_bytes=30_000_000),
        # 250 px at the top, 340 px at the bottom are covered by the stories and reels furniture.
        Placement("meta_stories", Size(1920, 1080), (250 / 1920, 0.05, 340 / 1920, 0.05), max_bytes=30_000_000),
    )
}


def extend_placements(rows: Iterable[Mapping[str, object]]) -> dict[str, Placement]:
    """The table with `rows` added or replaced, each a mapping of the fields of `Placement` (size: [height, width]).

    Raises:
        ConfigError: a field is unknown or missing, or a value is out of range.
    """
    table = dict(PLACEMENTS)
    for row in rows:
        try:
            stated = dict(row)
            if unknown := sorted(map(str, stated.keys() - set(_FIELDS))):
                raise ConfigError(f"placement {row!r}: no field {unknown[0]!r}; it takes {', '.join(_FIELDS)}")
            height, width = cast("tuple[Any, Any]", stated.pop("size"))
            margins = cast("tuple[Any, ...]", stated.pop("safe_margins", (0.05,) * 4))
            placement = Placement(size=Size(height, width), safe_margins=tuple(margins), **stated)  # type: ignore[arg-type]
        except KeyError as error:
            raise ConfigError(f"placement {row!r}: it lacks {error}") from error
        except (TypeError, ValueError) as error:
            raise ConfigError(f"placement {row!r}: {error}") from error
        table[placement.name] = _check(placement)
    return table
