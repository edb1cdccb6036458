"""The Canvas family: define, train, evaluate and export the generative models and their helpers."""
