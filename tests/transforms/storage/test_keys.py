from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.storage.keys import MAX_SEGMENT_BYTES, percent_encode

IDS = st.text(min_size=1, max_size=300) | st.text(alphabet="aä/%~.", min_size=1, max_size=300)


@given(IDS)
def test_an_encoded_id_is_one_safe_segment_of_bounded_length(text: str) -> None:
    encoded = percent_encode(text)
    assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+", encoded)
    assert encoded not in (".", "..")
    assert len(encoded) <= MAX_SEGMENT_BYTES


@given(IDS)
def test_a_short_id_can_be_decoded(text: str) -> None:
    encoded = percent_encode(text)
    if "%7E" not in encoded:
        assert unquote(encoded) == text


@given(IDS, IDS)
def test_two_ids_never_share_a_segment(one: str, other: str) -> None:
    assert (percent_encode(one) == percent_encode(other)) == (one == other)


@given(st.text(alphabet="aä", min_size=250, max_size=260), st.text(alphabet="aä", min_size=250, max_size=260))
def test_two_long_ids_never_share_a_segment(one: str, other: str) -> None:
    assert (percent_encode(one) == percent_encode(other)) == (one == other)


@given(st.text(min_size=201, max_size=300))
def test_no_id_can_pose_as_a_shortened_one(text: str) -> None:
    shortened = percent_encode(text)
    assert percent_encode(shortened) != shortened
    assert percent_encode(unquote(shortened, errors="replace")) != shortened


def test_an_empty_id_has_no_key() -> None:
    with pytest.raises(ValueError, match="empty"):
        percent_encode("")
