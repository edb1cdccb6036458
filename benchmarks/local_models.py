"""The eligibility stage's served models in this process, so that benchmarks need no server."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.serving.local import Answer, engine
from transforms.inference.fake import FakeClient
from transforms.ops.human import HumanDetector
from transforms.ops.text_area import TextDetector


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
            "mask_refiner": engine("mask_refiner", "ALPHA"),
            "unsafe_image": engine("unsafe_image", "SCORE"),
            "human_detector": find_human,
            "text_detector": find_text,
        }
    )
