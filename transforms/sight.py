"""What can be measured on a picture before anything is cut out; each measure is taken once, when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import cast

import cv2
import numpy as np

from transforms.inference.interface import InferenceClient
from transforms.ops.backdrop import Backdrop, describe_backdrop, fill_field
from transforms.ops.collage import count_panels
from transforms.ops.frame_contact import (
    cutout_contact,
    differs_from_backdrop,
    frame_contact,
    lasting_contact,
    main_parts,
    without_specks,
)
from transforms.ops.matting import is_informative
from transforms.ops.pattern import Pattern, find_pattern
from transforms.ops.seamless import border_texture, is_white
from transforms.ops.sharpness import blur
from transforms.records import Mask, Matte, Pixels, ProductImage

_LOCAL_SIDE = 640  # pixels, longest side, of what is measured here
_HUMAN_SIDE = 448  # of what the human detector is sent: its corner views still hold more than it looks at
_TEXT_SIDE = 736  # of what the text detector is sent: the most that it looks at
_COARSE_SIDE = 320
_UNSAFE_RESIZED, _UNSAFE_SIDE = 256, 224  # open_nsfw's own preparation: shrink, then the centre
_SOLID = 128  # alpha from which a pixel counts as product
_LEAST_PART = 0.002  # share of the picture; smaller parts of the coarse mask are noise
_SURE = 0.9  # of the coarse map
_UNDECIDED = 0.35  # share of the coarse map from which it says nothing about the frame
_ALONG = 0.35  # of a side: surroundings that it takes for product reach 0.27, close looks at worn clothes begin at 0.4
_PAINTED_MOST = 0.9  # a product that fills the picture leaves nothing around it to read
_MAIN_PART = 0.5  # of the largest part's area
_SLACK = 0.02  # of the longer side: the coarse mask's edge is this uncertain


class Sight:
    """A picture and the served models that look at it.

    Args:
        image: the decoded source.
        client: asked for `segmenter`, `human_detector`, `unsafe_image` and `text_detector`, at most once each, the
            text detector at most twice.
        max_texture: `border_texture` up to which a coloured backdrop counts as a studio's.
    """

    def __init__(self, image: ProductImage, client: InferenceClient, max_texture: float) -> None:
        self._image, self._client, self._max_texture = image, client, max_texture

    @cached_property
    def small(self) -> Pixels:
        """The picture, at most 640 px on its longer side."""
        return shrunk(self._image.pixels, _LOCAL_SIDE)

    @cached_property
    def is_cutout(self) -> bool:
        """The file's own alpha says where the product is."""
        alpha = self._image.alpha
        return alpha is not None and is_informative(alpha)

    @cached_property
    def backdrop(self) -> Backdrop:
        """What the border says."""
        return describe_backdrop(self.small)

    @cached_property
    def is_plain(self) -> bool:
        """A seamless backdrop or none at all; the calm wall of a room is a scene."""
        if self.is_cutout or not self.backdrop.plain:
            return self.is_cutout
        return is_white(self.backdrop) or border_texture(self.small, self.backdrop) <= self._max_texture

    @cached_property
    def panels(self) -> int:
        """See `count_panels`."""
        return count_panels(self.small)

    @cached_property
    def pattern(self) -> Pattern:
        """See `find_pattern`."""
        return find_pattern(self.small)

    @cached_property
    def blur(self) -> float:
        """See `blur`; of the full picture."""
        return blur(self._image.pixels)

    @cached_property
    def _coarse_map(self) -> Matte:
        square = _resized(self._image.pixels, _COARSE_SIDE, _COARSE_SIDE)
        return np.asarray(self._client.infer("segmenter", {"IMAGE": square[None]})["ALPHA"][0, ..., 0], np.float32)

    @cached_property
    def coarse(self) -> Mask:
        """The served network's coarse product mask, bool [320, 320]."""
        return without_specks(self._coarse_map > 0.5, _LEAST_PART)

    @cached_property
    def undecided_share(self) -> float:
        """How much of what the network sees as product, or half sees, is only half seen, in [0, 1]."""
        seen = self._coarse_map > 1 - _SURE
        return float((self._coarse_map[seen] < _SURE).mean()) if seen.any() else 0.0

    @cached_property
    def colored(self) -> Mask:
        """What the plain backdrop's colour does not explain, bool, at most 320 px on the longer side."""
        return differs_from_backdrop(shrunk(self.small, _COARSE_SIDE), self.backdrop)

    def product_share(self, enough: float) -> float:
        """Share of the picture that is product; the network is asked only where colour shows less than `enough`."""
        if self.is_cutout:
            return float((cast(Pixels, self._image.alpha) >= _SOLID).mean())
        by_color = float(self.colored.mean()) if self.is_plain else 0.0
        return by_color if by_color >= enough else max(by_color, float(self.coarse.mean()))

    def contact(self, limit: float) -> float:
        """See `frame_contact`. On a plain backdrop colour accuses, beyond `limit`, and the network has to agree.

        Colour has to accuse at the picture's own resolution too, where a whole product only touches the frame.

        Of a file with alpha its own alpha tells (`cutout_contact`). A scene in which the network cannot tell product
        from surroundings answers 0, unless it is sure along more than a third of a side: the gate behind the
        segmentation judges that.
        """
        if self.is_cutout:
            return cutout_contact(cast(Pixels, self._image.alpha))
        if not self.is_plain:
            sure = frame_contact(without_specks(self._coarse_map > _SURE, _LEAST_PART))
            return 0.0 if self.undecided_share > _UNDECIDED and sure <= _ALONG else sure
        by_color = frame_contact(self.colored)
        if by_color > limit:
            by_color = lasting_contact(self._image.pixels, self.backdrop, self.colored)
        return by_color if by_color <= limit else min(by_color, frame_contact(self.coarse))

    @cached_property
    def human_score(self) -> float:
        """The served detector's probability of a person."""
        return self._score("human_detector", shrunk(self._image.pixels, _HUMAN_SIDE))

    @cached_property
    def unsafe_score(self) -> float:
        """The served network's probability of an unsafe picture."""
        edge = (_UNSAFE_RESIZED - _UNSAFE_SIDE) // 2
        square = _resized(self._image.pixels, _UNSAFE_RESIZED, _UNSAFE_RESIZED)
        centre = square[edge : edge + _UNSAFE_SIDE, edge : edge + _UNSAFE_SIDE]
        return self._score("unsafe_image", np.ascontiguousarray(centre))

    @cached_property
    def text_share(self) -> float:
        """Share of the picture under legible text."""
        return self._score("text_detector", shrunk(self._image.pixels, _TEXT_SIDE), "COVERAGE")

    def text_share_around(self, limit: float) -> float:
        """Share of the picture under legible text that is not on the product.

        Asked only where all text together exceeds `limit`: the product is painted over with what surrounds it, and
        the detector looks again. So a brand on a box is no overlay, wherever it stands.
        """
        if self.text_share <= limit:
            return self.text_share
        product = self._product_for_text()
        if not product.any() or product.mean() > _PAINTED_MOST:
            return self.text_share
        pixels = shrunk(self._image.pixels, _TEXT_SIDE)
        around = fill_field(pixels.astype(np.float32), ~product)
        painted = np.where(product[..., None], np.clip(np.round(around), 0, 255).astype(np.uint8), pixels)
        return min(self.text_share, self._score("text_detector", painted, "COVERAGE"))

    def _product_for_text(self) -> Mask:
        """The product's main parts with some slack, bool, at the text detector's size.

        Letters beside a product are small parts of their own, so they are never taken for it, not in a cut-out either;
        the second of a pair of shoes is.
        """
        height, width = shrunk(self._image.pixels, _TEXT_SIDE).shape[:2]
        part = main_parts(self._seen_product(), _MAIN_PART).astype(np.uint8)
        grown = cv2.resize(part, (width, height), interpolation=cv2.INTER_NEAREST)
        reach = 2 * round(_SLACK * max(height, width) / 2) + 1
        return np.asarray(cv2.dilate(grown, np.ones((reach, reach), np.uint8)) > 0)

    def _seen_product(self) -> Mask:
        """What a cut-out's own alpha says, else the network, bool, at most 640 px on the longer side."""
        if not self.is_cutout:
            return self.coarse
        return shrunk(cast(Pixels, self._image.alpha), _LOCAL_SIDE) >= _SOLID

    def _score(self, model: str, pixels: Pixels, output: str = "SCORE") -> float:
        return float(self._client.infer(model, {"IMAGE": pixels[None]})[output][0, 0])


def shrunk(pixels: Pixels, side: int) -> Pixels:
    """`pixels` with a longer side of at most `side`, averaged; never enlarged."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    return _resized(pixels, max(1, round(height * scale)), max(1, round(width * scale)))


def _resized(pixels: Pixels, height: int, width: int) -> Pixels:
    kernel = cv2.INTER_AREA if min(pixels.shape[:2]) > min(height, width) else cv2.INTER_LINEAR
    return cast(Pixels, cv2.resize(pixels, (width, height), interpolation=kernel))
