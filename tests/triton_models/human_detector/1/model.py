"""A model that misbehaves as its image's first pixel says. For tests of client and server."""

import os
import time

import numpy as np
import triton_python_backend_utils as pb_utils

OK, CRASH, RAISE, NOT_FINITE, OUT_OF_RANGE, OTHER_NAME, OTHER_DTYPE, OTHER_SHAPE, SLEEP = range(9)


class TritonPythonModel:
    """IMAGE -> SCORE 0.5, or trouble."""

    def execute(self, requests):
        """One response for each request."""
        return [self.respond(request) for request in requests]

    def respond(self, request):
        """Answer one request."""
        trouble = int(pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy()[0, 0, 0, 0])
        if trouble == CRASH:
            os._exit(13)
        if trouble == RAISE:
            raise ValueError("a model that raises")
        if trouble == SLEEP:
            time.sleep(1.5)
        score = {NOT_FINITE: np.nan, OUT_OF_RANGE: 1.5}.get(trouble, 0.5)
        shape = (1, 2) if trouble == OTHER_SHAPE else (1, 1)
        tensor = np.full(shape, score, np.float64 if trouble == OTHER_DTYPE else np.float32)
        return pb_utils.InferenceResponse([pb_utils.Tensor("MARK" if trouble == OTHER_NAME else "SCORE", tensor)])
