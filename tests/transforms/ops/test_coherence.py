import numpy as np

from transforms.ops.coherence import incoherence, tears

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


def tiled(broken: bool, contrast: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pale tiles with thin lines, their right third copied along from the left, off by some rows where `broken`."""
    rows = np.arange(SHAPE[0])[:, None] + np.zeros((1, SHAPE[1]), int)
    grain = np.random.default_rng(5).normal(0, 1, (*SHAPE, 1))
    pixels = np.clip(np.where(rows % 20 == 9, 220 - contrast, 220)[..., None] + grain + np.zeros(3), 0, 255)
    known = np.ones(SHAPE, bool)
    known[:, 80:] = False
    source_rows = np.clip(np.arange(SHAPE[0]) + (6 if broken else 0), 0, SHAPE[0] - 1)
    pixels[:, 80:] = pixels[source_rows][:, 40:80]
    guide = np.zeros((*SHAPE, 2), np.int16)
    guide[~known] = (0, -40)
    guide[:, 80:, 0] = (source_rows - np.arange(SHAPE[0]))[:, None]
    return pixels.astype(np.uint8), guide, known


def test_a_thin_line_that_ends_at_a_join_is_a_tear_though_few_levels_differ() -> None:
    whole, broken = tiled(broken=False), tiled(broken=True)
    assert tears(*whole) < 0.8 < 1.0 < tears(*broken)
    assert incoherence(*broken) < 13.0


def test_texture_hides_a_tear() -> None:
    pixels, guide, known = tiled(broken=True)
    rough = pixels + np.random.default_rng(6).normal(0, 12, (*SHAPE, 1))
    y, x = np.nonzero(~known)
    rough[y, x] = rough[y + guide[y, x, 0], x + guide[y, x, 1]]
    middle = known.copy()
    middle[:, :86] = middle[:, -6:] = True
    middle[:6] = middle[-12:] = True
    hidden = np.clip(rough, 0, 255).astype(np.uint8)
    torn = pixels.copy()
    for shown in (hidden, torn):
        shown[38:, 100:] = np.roll(shown[38:, 100:], 4, axis=0)
    assert tears(hidden, guide, middle) < tears(torn, guide, middle)


def test_nothing_copied_is_not_torn() -> None:
    pixels, guide, known = tiled(broken=True)
    assert tears(pixels, np.zeros_like(guide), known) == 0.0
    assert tears(pixels, guide, np.ones_like(known)) == 0.0
