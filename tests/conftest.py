"""Servers and fixtures that tests of several packages share."""

pytest_plugins = ["browsers", "seaweed", "tritons"]
