"""A product laid into its placement, and what its original says of the surroundings, laid as it is.

Before drawn sets a product keeps the shadow of its own photograph (`transforms.ops.kept_shadow`): what is left of its
backdrop's light is laid with it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from transforms.ops.doubt import Doubt
from transforms.ops.empty_sets import asked_for
from transforms.ops.geometry import lay, resample, resample_matte
from transforms.ops.kept_shadow import Shade, drawn_shade, drawn_strength, shade_of, strength_of
from transforms.ops.papers import OWN_SHADOW
from transforms.ops.studio import shrink
from transforms.records import Cutout, Pixels, Size, Transform

_GREY = 128
_DRAWN = ("studio", "canvas_staging")  # painters whose drawn sets leave the shadow out where they are asked to


class Laid(NamedTuple):
    """A product laid into its placement, uint8: foreground over grey [h, w, 3], alpha [h, w], known region [h, w]."""

    image: Pixels
    product: Pixels
    known: Pixels

    def shrunk(self, size: Size) -> Laid:
        """The same at a bucket's size."""
        image, product = shrink(self.image, self.product, size)
        return Laid(image, product, _opaque(product))


class Original(NamedTuple):
    """What the original says of a product's surroundings, laid as the product is.

    Attributes:
        doubt: about its outline; None where nothing is known.
        shade: what its light does there; None where the backdrop does not tell.
        strength: of the shadow in it, in [0, 1].
        drawn: whether the file brings that shadow in its own alpha: then it takes a painted one's place, faint or not.
    """

    doubt: Doubt | None = None
    shade: Shade | None = None
    strength: float = 0.0
    drawn: bool = False

    def shrunk(self, size: Size) -> Original:
        """The same at a bucket's size."""
        doubt = self.doubt.shrunk(size) if self.doubt is not None else None
        return self._replace(doubt=doubt, shade=self.shade.shrunk(size) if self.shade is not None else None)

    def over(self, backdrop: Pixels) -> Pixels:
        """A painted backdrop, uint8 [h, w, 3], in the original's light."""
        return self.shade.over(backdrop) if self.shade is not None else backdrop

    def before(self, painter: str, prompt: str) -> Original:
        """What of it counts before a backdrop of these words: a room, or another painter, has shadows of its own."""
        return self if keeps_shadow(painter, prompt) else self._replace(shade=None, strength=0.0)


UNKNOWN = Original()


def keeps_shadow(painter: str, prompt: str) -> bool:
    """Whether a product keeps its own shadow before what this painter makes of these words: before a drawn set.

    >>> keeps_shadow("studio", "sage paper"), keeps_shadow("studio", "sage paper, long shadow")
    (True, False)
    """
    return painter in _DRAWN and not asked_for(prompt) and (OWN_SHADOW in prompt or "shadow" not in prompt.lower())


def lay_product(cutout: Cutout, transform: Transform, size: Size) -> Laid:
    """The cutout resampled and laid onto a grey canvas of `size`."""
    image, _ = lay(resample(cutout.foreground, transform.scaled), transform, size, _GREY)
    matte, _ = lay(resample_matte(cutout.alpha, transform.scaled), transform, size, 0.0)
    product = np.rint(matte * 255).astype(np.uint8)
    return Laid(image, product, _opaque(product))


def lay_original(source: Pixels, cutout: Cutout, transform: Transform, laid: Laid, with_shade: bool = True) -> Original:
    """What the original (`source`, uint8 [H, W, 3]) says around a product that is `laid`."""
    size = Size(*laid.product.shape)
    pixels, known = lay(resample(source, transform.scaled), transform, size, _GREY)
    doubt = Doubt(pixels, _lay_share(cutout.doubt, transform, size)) if cutout.doubt is not None else None
    if not with_shade or (cutout.bare is None and cutout.left is None):
        return Original(doubt)
    alpha = laid.product.astype(np.float32) / np.float32(255)
    if cutout.left is not None:
        drawn = drawn_shade(lay(resample(cutout.left, transform.scaled), transform, size, 255)[0], alpha, known)
        return Original(doubt, drawn, drawn_strength(drawn, alpha), drawn=True)
    assert cutout.bare is not None
    bare, _ = lay(cv2.resize(cutout.bare, transform.scaled[::-1]), transform, size, 255)
    shade = shade_of(pixels, laid.image, alpha, bare, known)
    return Original(doubt, shade, strength_of(shade, alpha))


def _lay_share(share: Pixels, transform: Transform, size: Size) -> Pixels:
    scaled = resample_matte(share.astype(np.float32) / 255, transform.scaled)
    return np.rint(lay(scaled, transform, size, 0.0)[0] * 255).astype(np.uint8)


def _opaque(product: Pixels) -> Pixels:
    return np.where(product == 255, 255, 0).astype(np.uint8)
