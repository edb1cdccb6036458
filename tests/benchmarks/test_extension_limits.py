"""The limits are those of the job, and what goes through them is counted."""

import pytest

from benchmarks.extension_limits import Extension, auc_of, job_limits, lines_of_limits, rated, scored, table_of

PASSING = dict.fromkeys(job_limits(), 0.0)


def test_auc_counts_pairs_and_halves_equal_ones():
    assert auc_of([3.0, 1.0, 2.0, 2.0], [False, True, True, False]) == pytest.approx((2 + 1.5) / 4)


def test_the_table_tells_what_each_limit_lets_through():
    torn = Extension({**PASSING, "outpaint_visible_tears": 0.5}, False)
    seam = Extension({**PASSING, "seam_score": 9.0}, False)
    lines = table_of([Extension(PASSING, True), torn, seam, Extension(PASSING, False)], job_limits())
    assert lines[0] == "4 extensions, 1 of them sound; the job's limits let 2 (1 sound) through"
    tears = next(line for line in lines if "visible_tears" in line)
    assert tears.endswith("| 3 (1 sound) | 3 (1 sound) |")


def test_only_what_two_raters_judged_counts():
    index = [
        {"task": task, "creative_digest": name, "scores": [("outpaint_tears", 2.0), ("painted_share", 0.25)]}
        for name, task in (("a", "outpaint"), ("b", "outpaint"), ("c", "background"))
    ]
    ratings = [{"output_digest": name, "complete": name != "b", "p_band_defect": 0.5} for name in "abcd"]
    (found,) = rated(index, ratings)
    assert found.scores["outpaint_visible_tears"] == 0.5 and not found.sound


def test_a_wider_limit_of_visible_tears_lets_more_through():
    torn = Extension({**PASSING, "outpaint_visible_tears": 0.5}, False)
    lines = lines_of_limits([Extension(PASSING, True), torn], job_limits(), [0.0, 0.5])
    assert lines[-2].startswith("| 0 | 1 | 1 | 21% to 100%") and lines[-1].startswith("| 0.5 | 2 | 1 |")


def test_beyond_the_limit_of_the_job_stricter_ones_hold_and_within_it_they_do_not():
    seam = {"seam_delta_e": 9.0}
    within = Extension({**PASSING, **seam}, True)
    beyond = Extension({**PASSING, **seam, "outpaint_visible_tears": 0.3}, False)
    clean = Extension({**PASSING, "outpaint_visible_tears": 0.3}, True)
    lines = lines_of_limits([within, beyond, clean], job_limits(), [0.3], {"seam_delta_e": 3.0})
    assert lines[-1].startswith("| 0.3 | 2 | 2 |")


def test_scores_of_painted_scenes_are_read_as_an_index(tmp_path):
    table = tmp_path / "extensions.csv"
    table.write_text("image,original,task,placement,output_digest,seam_score\na.png,a.jpg,outpaint,p,d,1.5\n")
    assert scored(table) == [{"task": "outpaint", "creative_digest": "d", "scores": {"seam_score": 1.5}}]
