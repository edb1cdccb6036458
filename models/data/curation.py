"""What keeps a pair out of a training set: the first fault that it has, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.examples import Bytes, Example
from transforms.ops.backdrop import to_lab
from transforms.ops.collage import count_panels
from transforms.ops.sharpness import blur

Check = Callable[[Bytes], bool]


@dataclass(frozen=True)
class Limits:
    """What a pair may measure. Shares are of the picture's area or border, levels of 0..255, differences dE (CIELAB).

    Attributes:
        share: of the picture that products cover, least and most.
        level: mean of the picture, least and most.
        max_blur: of `transforms.ops.sharpness.blur`.
        max_edge_px: mean width of the mask's soft edge: a wider one is a guess.
        max_frame_contact: of the border that products touch.
        min_change: between the picture and its products on white: less, and there is no scene to learn.
        max_change: between products in the scene and alone: more, and it is another product or a ruined one.
        max_panels: pictures that a photograph is put together from.
    """

    share: tuple[float, float] = (0.006, 0.82)
    level: tuple[float, float] = (35.0, 235.0)
    max_blur: float = 0.85
    max_edge_px: float = 7.0
    max_frame_contact: float = 0.3
    min_change: float = 4.0
    max_change: float = 45.0
    max_panels: int = 1


@dataclass(frozen=True)
class Curator:
    """Judges one example after the other; `photographs` are checked for what no render has.

    Attributes:
        limits: of the measures.
        taken: sources that are photographs.
        unsafe, overlaid: further checks of a photograph's pixels; None leaves them out.
    """

    limits: Limits = field(default_factory=Limits)
    taken: frozenset[str] = frozenset({"clothing-dataset"})
    unsafe: Check | None = None
    overlaid: Check | None = None

    def fault_of(self, example: Example) -> str | None:
        """The first fault of `example`, None where it has none; the cheap checks come first."""
        for name, check in _CHECKS:
            if check(example, self.limits):
                return name
        if example.source in self.taken:
            return self._fault_of_photograph(example)
        return None

    def _fault_of_photograph(self, example: Example) -> str | None:
        if count_panels(example.scene) > self.limits.max_panels:
            return "collage"
        if self.overlaid is not None and self.overlaid(example.scene):
            return "text_overlay"
        if self.unsafe is not None and self.unsafe(example.scene):
            return "unsafe"
        return None


def edge_width(coverage: Bytes) -> float:
    """Mean width in pixels of the soft edge of a mask uint8 [H, W]: partly covered pixels over the outline's length.

    >>> hard = np.zeros((20, 20), np.uint8); hard[5:15, 5:15] = 255
    >>> edge_width(hard)
    0.0
    """
    soft = int(((coverage > 25) & (coverage < 230)).sum())
    contours, _ = cv2.findContours((coverage > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return soft / max(1, sum(len(contour) for contour in contours))


def frame_contact(coverage: Bytes) -> float:
    """Share of the picture's border that a mask uint8 [H, W] covers."""
    border = np.concatenate([coverage[0], coverage[-1], coverage[1:-1, 0], coverage[1:-1, -1]])
    return float((border > 127).mean())


def scene_change(example: Example) -> float:
    """Mean dE between the picture and its products on white; infinite where they are not known alone."""
    if example.registered is None:
        return float("inf")
    alpha = example.registered[..., 3:].astype(np.float32) / 255
    on_white = np.rint(example.registered[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return float(_difference(example.scene, on_white).mean())


def product_change(example: Example) -> float:
    """Mean dE between products in the scene and alone, lightness counted by half: light may differ, colour not."""
    core = cv2.erode(example.coverage, np.ones((3, 3), np.uint8)) > 250
    if example.registered is None or not core.any():
        return 0.0
    return float(_difference(example.scene, example.registered[..., :3], lightness=0.5)[core].mean())


def _difference(one: Bytes, other: Bytes, lightness: float = 1.0) -> NDArray[np.float32]:
    weights = np.array([lightness, 1.0, 1.0], np.float32)
    gap = (to_lab(one) - to_lab(np.ascontiguousarray(other))) * weights
    return np.asarray(np.sqrt((gap**2).sum(axis=-1)), np.float32)


def _outside(value: float, bounds: tuple[float, float]) -> bool:
    return not bounds[0] <= value <= bounds[1]


_CHECKS: tuple[tuple[str, Callable[[Example, Limits], bool]], ...] = (
    ("product_small", lambda e, limits: float((e.coverage > 127).mean()) < limits.share[0]),
    ("product_large", lambda e, limits: float((e.coverage > 127).mean()) > limits.share[1]),
    ("exposure", lambda e, limits: _outside(float(e.scene.mean()), limits.level)),
    ("mask_unsure", lambda e, limits: edge_width(e.coverage) > limits.max_edge_px),
    ("cut_by_frame", lambda e, limits: frame_contact(e.coverage) > limits.max_frame_contact),
    ("blurred", lambda e, limits: blur(e.scene) > limits.max_blur),
    ("too_similar", lambda e, limits: scene_change(e) < limits.min_change),
    ("too_different", lambda e, limits: product_change(e) > limits.max_change),
)


class NearDuplicates:
    """Remembers pictures by a perceptual hash (pHash, 64 bits) and knows those that it has seen before."""

    def __init__(self, most_bits: int = 5) -> None:
        self._most_bits = most_bits
        self._seen = np.zeros((0, 8), np.uint8)

    def seen(self, pixels: Bytes) -> bool:
        """Whether `pixels` (uint8 [H, W, 3]) or nearly the same were shown before; remembered if not."""
        import imagehash
        from PIL import Image

        bits = np.packbits(imagehash.phash(Image.fromarray(pixels)).hash.reshape(-1))
        apart = np.unpackbits(self._seen ^ bits, axis=1).sum(axis=1)
        if apart.size and int(apart.min()) <= self._most_bits:
            return True
        self._seen = np.concatenate([self._seen, bits[None]])
        return False


def unsafe_check(threshold: float = 0.5) -> Check:
    """A check by the unsafe-image network that the server runs (open_nsfw); needs the extra `serving`."""
    from onnxruntime import InferenceSession, SessionOptions

    from models.export.onnx import unsafe_image_graph

    options = SessionOptions()
    options.intra_op_num_threads = 1
    graph = unsafe_image_graph(1).SerializeToString()
    session = InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def check(pixels: Bytes) -> bool:
        square = cv2.resize(pixels, (224, 224), interpolation=cv2.INTER_AREA)
        return float(session.run(["SCORE"], {"IMAGE": np.ascontiguousarray(square[None])})[0][0, 0]) > threshold

    return check


def overlay_check(most: float = 0.004) -> Check:
    """A check for legible text over more than `most` of the picture, as prices and watermarks are; a second each."""
    from transforms.ops.text_area import TextDetector

    detector = TextDetector()

    def check(pixels: Bytes) -> bool:
        return bool(detector(pixels).coverage > most)

    return check


def count_faults(faults: Iterable[str]) -> dict[str, int]:
    """How often each fault was found, the most frequent first."""
    counts: dict[str, int] = {}
    for fault in faults:
        counts[fault] = counts.get(fault, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
