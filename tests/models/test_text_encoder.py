"""The text encoder: what it answers, what it is trained to, and that padding and neighbours change nothing."""

import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.text_encoder import Distilled, TextEncoder, TextEncoderSpec, distillation_loss  # noqa: E402

SMALL = TextEncoderSpec(vocabulary=50, width=48, layers=2, heads=3, teacher_width=16)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return TextEncoder(SMALL).eval()


def batch(*lengths, longest=8):
    tokens = torch.randint(3, 50, (len(lengths), longest), generator=torch.Generator().manual_seed(1))
    mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).float()
    return tokens, mask


def test_a_sentence_is_a_vector_a_token_and_one_of_length_one(encoder):
    tokens, mask = batch(8, 3)
    sequence, sentence = encoder(tokens, mask)
    assert sequence.shape == (2, 8, 128) and sentence.shape == (2, 128)
    assert torch.allclose(sentence.norm(dim=1), torch.ones(2), atol=1e-5)
    assert (sequence[1, 3:] == 0).all() and (sequence[1, :3].abs().sum(1) > 0).all()


def test_what_stands_behind_the_mask_changes_nothing(encoder):
    tokens, mask = batch(8, 3)
    other = tokens.clone()
    other[1, 3:] = 7
    first, second = encoder(tokens, mask), encoder(other, mask)
    alone = encoder(tokens[1:, :3], mask[1:, :3])
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(first, second, strict=True))
    assert torch.allclose(first[1][1:], alone[1], atol=1e-6)


def test_the_order_of_the_words_counts(encoder):
    tokens, mask = batch(4, longest=4)
    assert not torch.allclose(encoder(tokens, mask)[1], encoder(tokens.flip(1), mask)[1], atol=1e-4)


def test_distillation_draws_the_sentences_to_the_teachers():
    torch.manual_seed(0)
    model = Distilled(SMALL)
    tokens, mask = batch(8, 5, 6, 3)
    teacher = torch.nn.functional.normalize(torch.randn(4, 16), dim=1)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    for _ in range(40):
        loss = distillation_loss(model, tokens, mask, teacher)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.25 * losses[0]
