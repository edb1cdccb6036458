from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import StorageError
from transforms.storage.uris import bucket_and_key, join, local_path, scheme_of

SEGMENTS = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text not in (".", "..")
)


@given(st.lists(SEGMENTS, min_size=1, max_size=3))
def test_a_joined_file_uri_names_the_joined_path(segments: list[str]) -> None:
    assert local_path(join("file:///out", *segments)).as_posix() == "/".join(["/out", *segments])


@given(st.lists(SEGMENTS, min_size=1, max_size=3))
def test_a_joined_s3_uri_carries_the_key_as_it_is(segments: list[str]) -> None:
    assert bucket_and_key(join("s3://catalog/out/", *segments)) == ("catalog", "/".join(["out", *segments]))


@pytest.mark.parametrize("segment", ["..", ".", "", "a//b", "a/../b", "/a", "a/"])
def test_what_would_leave_its_folder_is_not_joined(segment: str) -> None:
    with pytest.raises(ValueError, match="segments"):
        join("s3://catalog/out", segment)


def test_schemes_are_told_from_paths() -> None:
    assert [scheme_of(uri) for uri in ("/a/b", "a b", "S3://x/y", "file:///a", "a/b://c", "HTTPS://h")] == [
        "file",
        "file",
        "s3",
        "file",
        "file",
        "https",
    ]


def test_a_file_on_another_host_is_not_local() -> None:
    with pytest.raises(StorageError, match="not a local file"):
        local_path("file://elsewhere/a.jpg")
    assert local_path("file://localhost/a.jpg").as_posix() == "/a.jpg"
