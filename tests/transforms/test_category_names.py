"""Numbers of categories and their names."""

import pytest

from transforms.category_names import category_names_of
from transforms.errors import ConfigError


def test_googles_own_list_is_read() -> None:
    text = "\ufeff# Version: 2021-09-21\r\n1 - Animals & Pet Supplies\r\n\r\n187 - Apparel > Shoes\r\n"
    assert category_names_of(text, "list") == {"1": "Animals & Pet Supplies", "187": "Apparel > Shoes"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 - Pets\nApparel > Shoes\n", "list line 2: expected `number - name`, got 'Apparel > Shoes'"),
        ("1 - Pets\n1 - Shoes", "list line 2: 1 has two names"),
        ("1 -", "list line 1"),
        ("# nothing\n\n", "holds no category"),
    ],
)
def test_what_is_no_list_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        category_names_of(text, "list")
