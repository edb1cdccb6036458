"""Canvas, variant scene_synthesis: scenes of up to eight products, different requests' candidates in one batch."""

from models.serving.canvas_model import CanvasSynthesisModel


class TritonPythonModel(CanvasSynthesisModel):
    """IMAGE (its size alone counts), REFERENCES, PROMPT, SEED -> CANDIDATE."""
