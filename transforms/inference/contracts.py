"""The served models as data: names, dtypes, shapes, batching. `config.pbtxt` files are tested equal to this table.

Images travel as uint8. Shapes exclude the batch dimension; -1 is variable. A painter is a pair of models with one
signature for every engine, procedural or diffusion: `paint` answers small candidates in a shape bucket, one batch
item for each seed; `upscale` brings the winner to the placement's pixels. `GUIDE` is the painter's own note to its
upscaler (PatchMatch: source offsets), zeros where it needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log

from transforms.records import Size

UINT8, INT16, INT64, FP32, STRING = "UINT8", "INT16", "INT64", "FP32", "BYTES"


@dataclass(frozen=True)
class TensorSpec:
    """One input or output.

    Attributes:
        dtype: Triton's name of it.
        shape: without the batch dimension; -1 is variable.
        low, high: closed range of the values, checked on answers.
        like: name of the tensor whose height and width this one shares.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    low: float | None = None
    high: float | None = None
    like: str = ""


@dataclass(frozen=True)
class ModelContract:
    """What a served model promises.

    Attributes:
        max_batch: items of one request at most.
        fixed_batch: the engine always runs batches padded to this size, so that a result does not depend on its
            batch mates.
        platform: Triton's `platform` where an engine file is served, "" for a Python model.
        cpu_engine: `onnxruntime` or `openvino` for an engine file on the CPU, and
        cpu_precision: `fp32` or `bf16`; both chosen by measurement, see docs/serving.md.
        cpu_threads: of one inference; part of an engine model's identity.
        instances: model instances on the CPU.
        deadline_sec: default deadline of one request.
        queue_delay_usec: how long a request waits for others of its shape, so that `fixed_batch` items are answered at
            once; None where requests never share a batch.
        weights: whether it needs trained weights in its folder (`1/weights`) that the checkout may lack; without them
            it is not served.
    """

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    max_batch: int = 1
    fixed_batch: int = 1
    platform: str = ""
    cpu_engine: str = ""
    cpu_precision: str = "fp32"
    cpu_threads: int = 2
    instances: int = 1
    deadline_sec: float = 60.0
    queue_delay_usec: int | None = None
    weights: bool = False


_QUEUE_DELAY_USEC = 10_000  # beside seconds of painting it is nothing
_IMAGE = TensorSpec("IMAGE", UINT8, (-1, -1, 3))
_PRODUCT = TensorSpec("PRODUCT", UINT8, (-1, -1, 1), like="IMAGE")
_KNOWN = TensorSpec("KNOWN", UINT8, (-1, -1, 1), like="IMAGE")
_REFERENCES = TensorSpec("REFERENCES", UINT8, (8, 64, 64, 4))  # see transforms/ops/references.py
_PROMPT = TensorSpec("PROMPT", STRING, (1,))
_SEED = TensorSpec("SEED", INT64, (1,))
_PAINTED = TensorSpec("CANDIDATE", UINT8, (-1, -1, 3), like="IMAGE")
_CANDIDATE = TensorSpec("CANDIDATE", UINT8, (-1, -1, 3))
_GUIDE = TensorSpec("GUIDE", INT16, (-1, -1, 2), like="CANDIDATE")
_SCENE = TensorSpec("SCENE", UINT8, (-1, -1, 3), like="IMAGE")


def paint_contract(name: str, *, instances: int = 1, weights: bool = False) -> ModelContract:
    """A painter's first half: (image, product matte, known region, prompt, seed) -> candidate, all at bucket size."""
    return ModelContract(
        name,
        (_IMAGE, _PRODUCT, _KNOWN, _PROMPT, _SEED),
        (_PAINTED, _GUIDE),
        max_batch=4,
        instances=instances,
        deadline_sec=180.0,
        weights=weights,
    )


def _canvas_contract(name: str, *, batch: int) -> ModelContract:
    """Whole batches alone: what one product's candidates leave free, another's take."""
    whole = paint_contract(name, weights=True)
    return replace(whole, max_batch=batch, fixed_batch=batch, queue_delay_usec=_QUEUE_DELAY_USEC)


def upscale_contract(name: str, *, instances: int = 1) -> ModelContract:
    """A painter's second half: the winning candidate and the inputs at placement size -> the painted scene."""
    return ModelContract(
        name,
        (_IMAGE, _PRODUCT, _KNOWN, _CANDIDATE, _GUIDE, _PROMPT, _SEED),
        (_SCENE,),
        instances=instances,
        deadline_sec=120.0,
    )


def _segmenter_contract(name: str, *, cpu_precision: str) -> ModelContract:
    return ModelContract(
        name,
        (TensorSpec("IMAGE", UINT8, (320, 320, 3)),),
        (TensorSpec("ALPHA", FP32, (320, 320, 1), low=0.0, high=1.0),),
        platform="tensorrt_plan",
        cpu_engine="openvino",
        cpu_precision=cpu_precision,
    )


CONTRACTS: Mapping[str, ModelContract] = {
    contract.name: contract
    for contract in (
        _segmenter_contract("segmenter", cpu_precision="bf16"),
        _segmenter_contract("product_segmenter", cpu_precision="fp32"),
        ModelContract(
            "mask_refiner",
            (TensorSpec("IMAGE", UINT8, (512, 512, 8)),),  # RGB, and the clues of transforms/ops/clues.py
            (TensorSpec("ALPHA", FP32, (512, 512, 1), low=0.0, high=1.0),),
            platform="tensorrt_plan",
            cpu_engine="openvino",
        ),
        ModelContract(
            "unsafe_image",
            (TensorSpec("IMAGE", UINT8, (224, 224, 3)),),
            (TensorSpec("SCORE", FP32, (1,), low=0.0, high=1.0),),
            platform="tensorrt_plan",
            cpu_engine="openvino",
        ),
        ModelContract(
            "text_detector",
            (_IMAGE,),
            # share of the image under text boxes, number of boxes
            (TensorSpec("COVERAGE", FP32, (1,), low=0.0, high=1.0), TensorSpec("BOXES", FP32, (1,), low=0.0)),
        ),
        ModelContract(
            "reward",
            (_IMAGE, _PRODUCT, _PAINTED),
            # probabilities of a defect, calibrated
            (
                TensorSpec("PRODUCT_DEFECT", FP32, (1,), low=0.0, high=1.0),
                TensorSpec("BACKGROUND_DEFECT", FP32, (1,), low=0.0, high=1.0),
            ),
            max_batch=4,
        ),
        ModelContract("human_detector", (_IMAGE,), (TensorSpec("SCORE", FP32, (1,), low=0.0, high=1.0),)),
        paint_contract("studio"),
        upscale_contract("studio_upscale"),
        # the studio's sets in the light that the shipped stager says: see models/serving/stager.py
        paint_contract("canvas_staging"),
        upscale_contract("canvas_staging_upscale"),
        paint_contract("patchmatch"),
        upscale_contract("patchmatch_upscale"),
        # any diffusers checkpoint: see models/export/pretrained.py
        paint_contract("pretrained", weights=True),
        upscale_contract("pretrained_upscale"),
        # one batch is what a placement's candidates are by default
        _canvas_contract("canvas_background", batch=4),
        upscale_contract("canvas_background_upscale"),
        _canvas_contract("canvas_outpaint", batch=2),
        upscale_contract("canvas_outpaint_upscale"),
        # no painter: a scene of products' own pictures, see pipelines/synthesise.py
        replace(
            _canvas_contract("canvas_scene_synthesis", batch=4),
            inputs=(_IMAGE, _REFERENCES, _PROMPT, _SEED),
            outputs=(_PAINTED,),
        ),
    )
}

# Candidate sizes, one for each ratio: about 416x608 (w x h) worth of pixels, sides divisible by 16 so that an 8x or
# 16x autoencoder fits without padding.
BUCKETS: tuple[Size, ...] = (
    Size(688, 384),  # 9:16
    Size(608, 416),  # 2:3
    Size(560, 448),  # 4:5
    Size(512, 512),  # 1:1
    Size(448, 560),  # 5:4
    Size(416, 608),  # 3:2
    Size(368, 704),  # 1.91:1
    Size(384, 688),  # 16:9
)


def bucket_of(size: Size) -> Size:
    """The bucket whose ratio is nearest to `size`'s, by log ratio.

    >>> bucket_of(Size(1500, 1000))
    Size(height=608, width=416)
    """
    ratio = log(size.height / size.width)
    return min(BUCKETS, key=lambda bucket: abs(log(bucket.height / bucket.width) - ratio))
