import pytest

from transforms.words import WordPolicy, find_unfit, unfit_positions

FINE = """Scunthorpe United scarf
Cocktail dress, black, size XX
Maxi dress with shag trim
The pen is blue
Virgin wool cardigan
Nude lipstick 717
Model 455 screwdriver, strip 13
Fanny pack
Nappy bin
Shiitake mushrooms, dried
Essex chair
Classic bass guitar
Titanium mug
Analog clock
Grape juice press
Peacock feather cushion
Moby Dick, paperback
Pussy willow branch
Jackson Pollock poster
Mikrofasertuch für Töpfe""".splitlines()

UNFIT = [
    "fuck this mug",
    "sh1t happens tee",
    "F*ck mug",
    "@sshole mug",
    "f.u.c.k",
    "blow-job poster",
    "SHIT!",
    "ｆｕｃｋ",
]


@pytest.mark.parametrize("title", FINE)
def test_titles_of_real_goods_are_fit(title: str) -> None:
    assert unfit_positions(title, WordPolicy()) == []


@pytest.mark.parametrize("title", UNFIT)
def test_swearing_is_unfit_however_it_is_spelt(title: str) -> None:
    assert unfit_positions(title, WordPolicy()) == [1]


def test_without_the_retail_words_the_bare_list_judges() -> None:
    assert unfit_positions("Maxi dress", WordPolicy(allow_retail=False)) == [1]


def test_extra_words_and_phrases_are_unfit_even_where_they_are_allowed_elsewhere() -> None:
    policy = WordPolicy(extra=("Maxi", "best price"), allowed=("maxi",))
    assert unfit_positions("The best price for a maxi dress", policy) == [2, 6]


def test_an_allowed_word_is_fit_although_it_is_listed() -> None:
    assert unfit_positions("Bitch", WordPolicy(allowed=("bitch",))) == []


def test_an_allowed_phrase_excuses_its_words_only_where_it_stands() -> None:
    policy = WordPolicy(allowed=("bitch wine",))
    assert unfit_positions("Bitch Wine for a bitch", policy) == [5]


def test_with_nothing_listed_and_nothing_extra_every_word_is_fit() -> None:
    assert unfit_positions("fuck", WordPolicy(listed=False)) == []


def test_empty_texts_and_blank_entries_are_fit() -> None:
    assert unfit_positions("", WordPolicy(extra=("", " "))) == []


def test_a_find_names_the_field_and_the_place_and_not_the_word() -> None:
    found = find_unfit([("prompt", "plain wall"), ("title", "a shit mug")], WordPolicy())
    assert [(find.field, find.position) for find in found] == [("title", 2)]
