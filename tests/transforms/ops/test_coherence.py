import numpy as np

from transforms.ops.coherence import incoherence

SHAPE = (80, 120)


def copied(shift: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grainy texture whose right third is its left third again: (pixels, guide, known)."""
    pixels = np.random.default_rng(3).integers(60, 200, (*SHAPE, 3)).astype(np.uint8)
    known = np.ones(SHAPE, bool)
    known[:, 80:] = False
    pixels[:, 80:] = pixels[:, 80 - shift : 120 - shift]
    guide = np.zeros((*SHAPE, 2), np.int16)
    guide[~known] = (0, -shift)
    return pixels, guide, known


def test_one_coherent_piece_is_like_its_source() -> None:
    pixels, guide, known = copied()
    assert incoherence(pixels[:, :], guide, known) < 60  # the border of the piece only
    inner = known.copy()
    inner[:, :90] = True
    assert incoherence(pixels, guide, inner) < incoherence(pixels, guide, known) + 1e-6


def test_a_shift_of_light_is_forgiven_and_a_torn_piece_is_not() -> None:
    pixels, guide, known = copied()
    middle = known.copy()
    middle[:, :86] = True
    middle[:, -6:] = True
    middle[:6] = middle[-6:] = True
    lit = pixels.copy()
    lit[~known] = np.clip(lit[~known].astype(int) + 10, 0, 255)
    torn = pixels.copy()
    torn[40:, 80:] = np.roll(torn[40:, 80:], 9, axis=1)
    assert incoherence(pixels, guide, middle) == 0.0
    assert incoherence(lit, guide, middle) < 1.0
    assert incoherence(torn, guide, middle) > 20.0


def test_a_painter_without_offsets_and_a_full_frame_are_not_measured() -> None:
    pixels, guide, known = copied()
    assert incoherence(pixels, np.zeros_like(guide), known) == 0.0
    assert incoherence(pixels, guide, np.ones_like(known)) == 0.0
