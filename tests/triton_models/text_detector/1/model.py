"""A model that takes 100 ms, served with a queue of one. For tests of the client."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """IMAGE -> COVERAGE 0, BOXES 0."""

    def execute(self, requests):
        """One response for each request."""
        return [self.respond() for _ in requests]

    def respond(self):
        """Answer one request."""
        time.sleep(0.1)
        names = ("COVERAGE", "BOXES")
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, np.zeros((1, 1), np.float32)) for name in names])
