"""Canvas, second half, variant outpaint: the winning candidate at the placement's pixels."""

from models.serving.canvas_model import CanvasUpscaleModel


class TritonPythonModel(CanvasUpscaleModel):
    """IMAGE, PRODUCT, KNOWN, CANDIDATE, GUIDE, PROMPT, SEED -> SCENE."""
