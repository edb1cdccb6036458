"""Beam graphs, their options and their launch."""
