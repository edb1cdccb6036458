"""Canvas, staging, first half: the studio's set with what the product does to its light, one candidate a seed."""

from models.serving.staging_model import StagingModel


class TritonPythonModel(StagingModel):
    """IMAGE, PRODUCT, KNOWN, PROMPT, SEED -> CANDIDATE, GUIDE (zeros: its upscaler needs none)."""
