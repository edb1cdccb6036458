"""Run over run: what changed, which images changed most, what drifts, and whether somebody should look."""
