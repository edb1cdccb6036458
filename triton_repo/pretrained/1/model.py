"""A pretrained diffusers checkpoint, first half: one candidate for each seed."""

from models.serving.pretrained_model import PretrainedModel


class TritonPythonModel(PretrainedModel):
    """IMAGE, PRODUCT, KNOWN, PROMPT, SEED -> CANDIDATE, GUIDE (zeros: its upscaler needs none)."""
