"""A scene's main light as shadows need it: where an upright stick's shadow ends, and how wide the light is."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.data.descriptions import LIGHT_WORDS
from models.data.scene import Sky
from transforms.ops.shadows import KeyLight

_LOWEST_DEG = 15.0  # shadows of a lower light leave the picture
_SOFTNESS: dict[Sky, float] = {"sun": 0.05, "evening": 0.05, "window": 0.4, "overcast": 0.8, "lamp": 0.15}


def key_light(sky: Sky, azimuth_deg: float, height_deg: float) -> KeyLight:
    """The main light of `sky` for a camera of azimuth 0.

    >>> key = key_light("sun", -45.0, 45.0)
    >>> round(key.across, 3), round(key.back, 3), key.softness
    (0.707, 0.707, 0.05)
    """
    long, azimuth = 1 / np.tan(np.radians(max(height_deg, _LOWEST_DEG))), np.radians(azimuth_deg)
    return KeyLight(float(-np.sin(azimuth) * long), float(np.cos(azimuth) * long), _SOFTNESS[sky])


def key_light_of(about: dict[str, Any]) -> KeyLight | None:
    """That of a rendered scene, by what `models.data.descriptions` wrote of it; None where there is no camera."""
    camera = about.get("camera")
    if camera is None:
        return None
    (right_x, *_), (right_y, *_), _ = camera["rotation"]
    azimuth, height = camera["light_deg"]
    sky = next(sky for sky, words in LIGHT_WORDS.items() if words == about["words"]["light"])
    return key_light(sky, azimuth - float(np.degrees(np.arctan2(right_y, right_x))), height)
