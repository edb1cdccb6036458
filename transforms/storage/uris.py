"""URIs of objects: plain paths, `file://` and `s3://bucket/key`.

An `s3://` URI carries its key as it is; a `file://` URI carries its path percent-encoded (RFC 8089).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from transforms.errors import StorageError


class Location(NamedTuple):
    """A bucket and a key."""

    bucket: str
    key: str


def scheme_of(uri: str) -> str:
    """`s3`, `file`, `http`, ... in lower case; `file` for plain paths.

    >>> scheme_of("S3://catalog/a.jpg"), scheme_of("shots/a.jpg")
    ('s3', 'file')
    """
    head, found, _ = uri.partition("://")
    return head.lower() if found and head.isalnum() else "file"


def local_path(uri: str) -> Path:
    """The path of a plain path or a `file://` URI.

    >>> local_path("file:///shots/a%20b.jpg").as_posix()
    '/shots/a b.jpg'
    """
    if "://" not in uri:
        return Path(uri)
    try:
        parts = urlsplit(uri)
    except ValueError as error:  # a bracket or a character that no host may have
        raise StorageError(f"not a local file: {uri}") from error
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise StorageError(f"not a local file: {uri}")
    return Path(unquote(uri[len("file://") + len(parts.netloc) :]))


def bucket_and_key(uri: str) -> Location:
    """The two parts of an `s3://` URI; the key may be empty.

    >>> bucket_and_key("s3://catalog/shots/a b.jpg")
    Location(bucket='catalog', key='shots/a b.jpg')
    """
    head, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if head.lower() != "s3" or not bucket:
        raise StorageError(f"not an s3:// URI with a bucket: {uri}")
    return Location(bucket, key)


def join(base_uri: str, *segments: str) -> str:
    """`segments` under `base_uri`. A segment may hold slashes, but neither `.` nor `..` nor nothing between them.

    >>> join("s3://catalog/out/", "creatives", "a%2Fb")
    's3://catalog/out/creatives/a%2Fb'
    >>> join("file:///out", "a%2Fb")
    'file:///out/a%252Fb'
    """
    if any(part in ("", ".", "..") for segment in segments for part in segment.split("/")):
        raise ValueError(f"not segments of a key: {segments}")
    tail = "/".join(segments)
    if base_uri.lower().startswith("file://"):
        tail = quote(tail)
    return f"{base_uri.rstrip('/')}/{tail}" if tail else base_uri


def absolute(uri: str) -> str:
    """`uri`, a relative path from this process's folder on; so that a file has one name wherever a command is started.

    >>> absolute("s3://catalog/out"), absolute("/shots/a.jpg")
    ('s3://catalog/out', '/shots/a.jpg')
    """
    return str(Path(uri).absolute()) if "://" not in uri else uri


def plain(uri: str) -> str:
    """One spelling of a place that has several, to look whether two are the same or one lies within the other.

    >>> plain("file:///shots/a%20b.jpg"), plain("/shots//a b.jpg"), plain("S3://catalog/a.jpg")
    ('/shots/a b.jpg', '/shots/a b.jpg', 's3://catalog/a.jpg')
    """
    if scheme_of(uri) == "file":
        return str(local_path(uri).absolute())
    head, separator, rest = uri.partition("://")
    return f"{head.lower()}{separator}{rest}"


def folder_of(manifest_uri: str) -> str:
    """The folder that a manifest lies in, and that its relative references start from.

    >>> folder_of("s3://catalog/tonight/shoes.parquet"), folder_of("/shoes.parquet"), folder_of("shoes.parquet")
    ('s3://catalog/tonight', '/', '.')
    """
    folder, slash, _ = manifest_uri.rpartition("/")
    return folder or slash or "."
