"""Numbers of product categories, and the words that a list of one's own says for them.

Feeds may give Google's category as a number ("187"), which says nothing about the product by itself. Google publishes
its taxonomy with numbers, a line each: `187 - Apparel & Accessories > Shoes`; a shop's own list has the same form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from transforms.errors import ConfigError

CategoryNames = Mapping[str, str]

_LINE = re.compile(r"(?P<number>\d+)\s*-\s*(?P<name>\S.*)")


def category_names_of(text: str, source: str) -> CategoryNames:
    """Number -> name of each line of `text`; empty lines and those that begin with `#` are passed over.

    Args:
        source: what messages call the file.

    Raises:
        ConfigError: names the line that is none, or that there is none.

    >>> category_names_of("# Google_Product_Taxonomy_Version: 2021-09-21\\n187 - Apparel & Accessories > Shoes", "f")
    {'187': 'Apparel & Accessories > Shoes'}
    """
    names: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise ConfigError(f"{source} line {number}: expected `number - name`, got {line.strip()[:80]!r}")
        if names.setdefault(found["number"], found["name"]) != found["name"]:
            raise ConfigError(f"{source} line {number}: {found['number']} has two names")
    if not names:
        raise ConfigError(f"{source}: holds no category")
    return names
