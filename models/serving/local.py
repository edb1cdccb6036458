"""Served graphs in this process, so that data can be made, and benchmarks be run, without a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from models.export.onnx import GRAPHS
from transforms.inference.fake import FakeClient
from transforms.ops.human import open_session

Answer = dict[str, NDArray[Any]]


def engine(model: str, output: str) -> Callable[[Any], Answer]:
    """A served graph, single-threaded, as a responder of one output."""
    session = open_session(GRAPHS[model](1).SerializeToString())

    def run(inputs: Any) -> Answer:
        return {output: session.run([output], {"IMAGE": inputs["IMAGE"]})[0]}

    return run


def local_segmenters() -> FakeClient:
    """A client whose two segmenters are the real ones, held against the contracts; the mask refiner refines nothing."""
    return FakeClient({name: engine(name, "ALPHA") for name in ("segmenter", "product_segmenter")})
