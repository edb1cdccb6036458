"""The eligibility stage's served models in this process, so that benchmarks need no server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.onnx import GRAPHS
from transforms.inference.fake import FakeClient
from transforms.ops.human import HumanDetector, open_session
from transforms.ops.text_area import TextDetector

Answer = dict[str, NDArray[Any]]


def local_client(human: HumanDetector | None = None) -> FakeClient:
    """A client whose four detectors are the real ones, single-threaded, held against the contracts."""
    detector, reader = human or HumanDetector(), TextDetector()

    def find_human(inputs: Any) -> Answer:
        return {"SCORE": np.asarray([[detector(inputs["IMAGE"][0])]], dtype=np.float32)}

    def find_text(inputs: Any) -> Answer:
        area = reader(inputs["IMAGE"][0])
        return {
            "COVERAGE": np.asarray([[area.coverage]], dtype=np.float32),
            "BOXES": np.asarray([[area.boxes]], dtype=np.float32),
        }

    return FakeClient(
        {
            "segmenter": engine("segmenter", "ALPHA"),
            "product_segmenter": engine("product_segmenter", "ALPHA"),
            "unsafe_image": engine("unsafe_image", "SCORE"),
            "human_detector": find_human,
            "text_detector": find_text,
        }
    )


def engine(model: str, output: str) -> Callable[[Any], Answer]:
    """A served graph in this process, single-threaded, as a responder of one output."""
    session = open_session(GRAPHS[model](1).SerializeToString())

    def run(inputs: Any) -> Answer:
        return {output: session.run([output], {"IMAGE": inputs["IMAGE"]})[0]}

    return run
