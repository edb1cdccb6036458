"""From contracts and weights to what the inference server loads."""
