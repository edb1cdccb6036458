"""Servers and fixtures that tests of several packages share."""

import os

from hypothesis import HealthCheck, settings

# Before numpy is loaded: a product of matrices has once waited for ever for a thread of OpenBLAS that was gone. The job
# itself computes with one thread for each work (`transforms.run_work`).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

pytest_plugins = ["browsers", "seaweed", "tritons"]

# The same examples in every run, and no limit of time: a busy machine and chance fail no test.
settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")
# `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
