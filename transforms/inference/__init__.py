"""The client side of the Triton Inference Server."""
