"""Canvas, first half, variant outpaint: candidates of one request are one batch through the whole denoising loop."""

from models.serving.canvas_model import CanvasModel


class TritonPythonModel(CanvasModel):
    """IMAGE, PRODUCT, KNOWN, PROMPT, SEED -> CANDIDATE, GUIDE (zeros: its upscaler needs none)."""
