"""Servers and fixtures that tests of several packages share."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["browsers", "seaweed", "tritons"]

# The same examples in every run, and no limit of time: a busy machine and chance fail no test.
settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")
# `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
