"""Figures for painted pictures: distance to real ones, agreement with words, and the plainest painters to beat."""
