"""Several products of a manifest in one scene, their own pixels kept."""
