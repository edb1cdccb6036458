"""Sentences are the same for the same number, name what they should, and keep reserved products to themselves."""

import re

from models.data.sentences import HUES, products, reserved, write_reserved, write_sentence


def names(sentence, among):
    return [name for name in among if re.search(rf"\b{re.escape(name)}\b", sentence)]


def test_a_number_is_one_sentence_and_numbers_differ():
    first = [write_sentence(0, number) for number in range(300)]
    assert first == [write_sentence(0, number) for number in range(300)]
    assert len(set(first)) > 250
    assert first != [write_sentence(1, number) for number in range(300)]
    assert all(sentence == sentence.lower() for sentence in first)


def test_only_measuring_speaks_of_reserved_products():
    odd = [name for name in reserved() if not any(name in other and name != other for other in products())]
    assert len(odd) > 10
    assert not any(names(write_sentence(0, number), odd) for number in range(1500))
    assert any(names(write_reserved(0, number), odd) for number in range(100))


def test_further_names_are_spoken_of():
    assert any("zither" in write_sentence(0, number, ["zither"] * 200) for number in range(50))


def test_every_colour_of_the_studio_is_spoken_of():
    told = " ".join(write_sentence(0, number) for number in range(3000))
    assert all(hue in told for hue in HUES)
