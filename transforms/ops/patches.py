"""Patches that are copied and compared: how large they are, and how far one's colour may be shifted to fit.

Apart from the compiled loops that copy them (`transforms.ops.nearest_patches`), so that who only looks at what was
copied needs no compiler.
"""

RADIUS = 3
SIDE = 2 * RADIUS + 1
# A mean may move by at most this many of 255 levels.
SHIFT_LIMIT = 24
