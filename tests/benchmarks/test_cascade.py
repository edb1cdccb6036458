"""Every second of the cascade is in one of its steps, and each step was taken."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.cascade import TimedClient, cascade, jobs_of
from models.serving.judge import load_judge


@pytest.mark.parametrize("room", [False, True])
def test_the_steps_make_up_the_whole(tmp_path: Path, room):
    vase = np.zeros((220, 160, 4), np.uint8)
    cv2.ellipse(vase, (80, 110), (50, 90), 0, 0, 360, (60, 90, 160, 255), -1)
    cv2.imwrite(str(tmp_path / "vase.png"), vase)
    (job,) = jobs_of(iter([tmp_path / "vase.png"]), "pmax_landscape", room=room)
    steps = cascade(job, "canvas_staging", TimedClient(None, load_judge()))
    assert steps["whole"] == pytest.approx(sum(steps.values()) - steps["whole"])
    assert all(seconds > 0 for seconds in steps.values())
