"""What runs inside the inference server: the bodies of its Python models and of its python-based backends."""
