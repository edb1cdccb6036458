"""The stager without torch: an empty set, in the light that a product leaves it; and the painter `canvas_staging`.

stage = load_stager(folder)
scene = stage(ground, image, product, key)
candidate, guide = paint(stage, image, product, known, prompt, seed)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.export.cards import WEIGHTS, check_files
from models.serving.networks import Network, load_network
from transforms.ops import studio
from transforms.ops.oklab import Floats
from transforms.ops.shadows import KeyLight
from transforms.ops.staging import FLOOR_LEVELS, clues_of, shaded, shown_of, spread, working_size
from transforms.records import Pixels, Size

FILE = "stager.onnx"
ENGINE = "openvino"


@dataclass(frozen=True)
class Stager:
    """A loaded stager."""

    network: Network

    def __call__(self, ground: Pixels, image: Pixels, product: Pixels, key: KeyLight) -> Floats:
        """The set with what the product does to its light, sRGB in [0, 255], float32 [H, W, 3]; no product in it.

        Args:
            ground: uint8 [H, W, 3], the empty set.
            image: uint8 [H, W, 3], the product's colours where `product` counts.
            product: uint8 [H, W], its alpha.
            key: the set's main light.
        """
        return shaded(ground.astype(np.float32), self.change(ground, image, product, key))

    def change(self, ground: Pixels, image: Pixels, product: Pixels, key: KeyLight) -> Floats:
        """The logarithm of the change, at the network's own size, float32 [h, w, 3]; arguments as above.

        It is grey: what colour products throw back some hundred scenes do not teach, and a guess shows as a stain.
        """
        size = working_size(Size(*product.shape))
        ground, image, product = (_shrunk(plane, size) for plane in (ground, image, product))
        shown = shown_of(ground, image, product, clues_of(product, key), key)
        answer = self.network({"shown": shown.transpose(2, 0, 1)[None].astype(np.float32)})[0]
        grey = np.broadcast_to(answer.mean(axis=0)[..., None], (*product.shape, 3))
        return spread(np.ascontiguousarray(grey), product)


def _shrunk(plane: Pixels, size: Size) -> Pixels:
    small: Pixels = cv2.resize(plane, (size.width, size.height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small


def load_stager(folder: Path = WEIGHTS / "stager", engine: str = ENGINE, threads: int = 1) -> Stager:
    """The stager of a folder with stager.onnx and card.json.

    Raises:
        ConfigError: a file is missing, or not the one that the card names.
    """
    check_files(folder)
    return Stager(load_network(folder / FILE, engine, threads))


def paint(
    stage: Stager, image: Pixels, product: Pixels, known: Pixels, prompt: str, seed: int
) -> tuple[Pixels, NDArray[np.int16]]:
    """A candidate, as `transforms.ops.studio.paint`, and its guide, int16 [h, w, 2]: 1 where a network painted, else 0.

    In rendered rooms its shadows are half way between the network's, which are soft and pale where it is not sure, and
    the studio's, which stand and are too dark. The network has seen rooms alone: in drawn sets, and where nothing
    stands, the picture is the studio's own.
    """
    bare = studio.bare_room(image, product, prompt, seed, product)
    if bare is None:
        own = studio.paint(image, product, known, prompt, seed)
        return own, np.zeros((*own.shape[:2], 2), np.int16)
    change = stage.change(_bytes(bare.picture), image, product, bare.key)
    candidate = studio.finish(_between(shaded(bare.picture, change), bare.shadowed), seed, product, standing=True)
    return candidate, np.ones((*candidate.shape[:2], 2), np.int16)


def _between(one: Floats, other: Floats) -> Floats:
    """The geometric mean of two lights in sRGB levels, in [0, 1]."""
    mean = np.sqrt((one + FLOOR_LEVELS) * (other + FLOOR_LEVELS)) - FLOOR_LEVELS
    return np.asarray(mean / 255, np.float32)


def upscale(
    stage: Stager,
    image: Pixels,
    product: Pixels,
    known: Pixels,
    candidate: Pixels,
    guide: NDArray[np.int16],
    prompt: str,
    seed: int,
) -> Pixels:
    """A candidate's room at full size, as `transforms.ops.studio.upscale`, with the same change of its light."""
    small, matte = studio.shrink(image, product, (candidate.shape[0], candidate.shape[1]))
    bare = studio.bare_room(small, matte, prompt, seed, matte)
    large = studio.bare_room(small, matte, prompt, seed, product)
    if bare is None or large is None:
        return studio.upscale(image, product, known, candidate, guide, prompt, seed)
    change = stage.change(_bytes(bare.picture), small, matte, bare.key)
    return studio.finish(_between(shaded(large.picture, change), large.shadowed), seed, product, standing=True)


def _bytes(picture: Floats) -> Pixels:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
