"""Canvas, staging, second half: the winning set at the placement's pixels, in the same light."""

from models.serving.staging_model import StagingUpscaleModel


class TritonPythonModel(StagingUpscaleModel):
    """IMAGE, PRODUCT, KNOWN, CANDIDATE, GUIDE, PROMPT, SEED -> SCENE."""
