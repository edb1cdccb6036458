"""Defects change what their kind says, the stronger the more; no product that measures is learnt from."""

import numpy as np
import pytest

from models.data.cutouts import write_layers
from models.data.defects import HEADS, KINDS, Composition, spoil
from models.data.drawings import draw_thing
from models.data.reward_bank import composition_of, draw, each_kind, files_of, make_bank, varied
from transforms.errors import ConfigError
from transforms.ops.pairs import SIDE, pair_of


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cutouts")
    for number in range(12):
        write_layers(draw_thing(np.random.Generator(np.random.Philox(number))), folder / f"thing{number}.0")
    return folder


@pytest.fixture(scope="module")
def bank(cutouts):
    return make_bank(files_of(cutouts, held_out=False), [], 6, 0)


def rng(number=0):
    return np.random.Generator(np.random.Philox(number))


def changed(composition, kind, strength, *, inside):
    """How much a defect moves the picture, within the product or off it, mean over some draws."""
    where = composition.coverage > 0.99 if inside else composition.coverage < 0.01
    gaps = [np.abs(spoil(rng(n), kind, strength, composition) - composition.scene())[where].mean() for n in range(6)]
    return float(np.mean(gaps))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_stronger_defect_changes_more_and_every_scene_is_a_picture(bank, kind):
    compositions = [composition_of(planes) for planes in bank[:3]]
    totals = [
        sum(
            changed(one, kind, strength, inside=True) + changed(one, kind, strength, inside=False)
            for one in compositions
        )
        for strength in (0.2, 1.0)
    ]
    assert 0 < totals[0] < totals[1]
    scene = spoil(rng(), kind, 1.0, compositions[0])
    assert scene.shape == (SIDE, SIDE, 3) and scene.dtype == np.float32 and 0 <= scene.min() <= scene.max() <= 1


@pytest.mark.parametrize("kind", [kind for kind, (head, _) in KINDS.items() if head == "background"])
def test_a_background_defect_leaves_the_product_alone(bank, kind):
    assert all(changed(composition_of(planes), kind, 1.0, inside=True) < 1e-3 for planes in bank[:3])


@pytest.mark.parametrize("kind", ["cut", "smeared", "wrong_scale"])
def test_an_altered_product_is_altered_within_itself(bank, kind):
    assert changed(composition_of(bank[0]), kind, 1.0, inside=True) > 0.002


def test_a_strength_out_of_range_is_refused(bank):
    with pytest.raises(ValueError, match="within"):
        spoil(rng(), "halo", 0.0, composition_of(bank[0]))


def test_a_sample_is_the_same_for_the_same_number_and_says_its_truth(bank):
    first, again = draw(bank, 0, 5), draw(bank, 0, 5)
    assert (first.planes == again.planes).all() and first[1:] == again[1:]
    for sample in (draw(bank, 0, number, ("halo", "seam")) for number in range(40)):
        expected = {"clean": (0, 0), "halo": (1, 0), "seam": (0, 1)}[sample.kind]
        assert sample.truth == expected and (sample.strength > 0) == (sample.kind != "clean")


def test_a_varied_composition_is_as_sound_as_it_was(bank):
    """A product of its backdrop's own colour stays invisible however it is seen and lit."""
    hidden = bank[0].copy()
    hidden[..., :3] = np.rint(hidden[..., 4:7] * (hidden[..., 3:4] / 255.0))
    for number in range(20):
        seen = composition_of(varied(rng(number), hidden))
        assert np.abs(seen.scene() - seen.ground).max() < 0.08 and np.abs(seen.scene() - seen.ground).mean() < 0.01
    assert not np.array_equal(varied(rng(1), bank[0]), varied(rng(2), bank[0]))


def test_measuring_shows_every_kind_and_clean_ones_equally_often(bank):
    kinds = [sample.kind for sample in each_kind(bank, 1, 3)]
    assert len(kinds) == 3 * (len(KINDS) + 1) and {kinds.count(kind) for kind in kinds} == {3}
    assert {KINDS[kind][0] for kind in KINDS} == set(HEADS)


def test_a_product_is_in_one_split_alone(cutouts, tmp_path):
    splits = [{path.name for path in files_of(cutouts, held_out=held)} for held in (False, True)]
    assert len(splits[0] | splits[1]) == 12 and not splits[0] & splits[1]
    with pytest.raises(ConfigError, match="too few cutouts"):
        files_of(tmp_path, held_out=False)


def test_what_is_judged_is_what_was_learnt_from(bank):
    one: Composition = composition_of(bank[0])
    size = (SIDE, SIDE)
    image = np.where(one.coverage[..., None] > 0, one.color / np.maximum(one.coverage[..., None], 1e-3), 0)
    image, product, candidate = (
        np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8) for plane in (image, one.coverage, one.ground)
    )
    served = pair_of(image, product, candidate)
    assert served.shape == (*size, 7)
    learnt = np.concatenate([one.original(), one.coverage[..., None], one.scene()], 2) * 255
    assert np.abs(served - learnt).mean() < 1.0
