"""A pretrained diffusers checkpoint, second half: the winning candidate at the placement's pixels."""

from models.serving.pretrained_model import LanczosModel


class TritonPythonModel(LanczosModel):
    """IMAGE, PRODUCT, KNOWN, CANDIDATE, GUIDE, PROMPT, SEED -> SCENE."""
