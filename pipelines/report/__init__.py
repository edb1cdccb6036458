"""The report of a run: figures from its index, plots, and before/after thumbnails."""
