"""S3 and S3-compatible stores through boto3's client: one client, single-request puts and gets, verified."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from transforms.errors import (
    ChecksumMismatch,
    ObjectExists,
    ObjectNotFound,
    ObjectTooLarge,
    StorageError,
    StoreDenied,
    StoreUnavailable,
)
from transforms.storage.s3_errors import BOTO_ERRORS, status_of, translate_boto_error
from transforms.storage.s3_listing import parse_quickly
from transforms.storage.store import Listed, Object, Stat, StoreConfig, Written
from transforms.storage.uris import Location, bucket_and_key, join

_LOG = logging.getLogger(__name__)
_BODY_TRIES = 4
_CONFLICT_TRIES = 5
_PAUSE_SEC = 0.2
_MD5_CHARS = 32
# What a store answers to a condition that it does not know.
_UNKNOWN_CONDITION = (400, 501)


class Page(NamedTuple):
    """A part of a listing, and whether more follows."""

    found: list[Listed]
    truncated: bool


def make_client(config: StoreConfig) -> Any:
    """A boto3 client of `config`; credentials from boto3's chain."""
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=config.endpoint_url or None,
        region_name=config.region or None,
        config=Config(
            connect_timeout=config.connect_timeout_sec,
            read_timeout=config.read_timeout_sec,
            max_pool_connections=config.max_connections,
            retries={"total_max_attempts": config.max_attempts, "mode": "standard"},
            s3={"addressing_style": config.addressing},
            request_checksum_calculation=config.checksum,
            response_checksum_validation=config.checksum,
        ),
    )
    parse_quickly(client)
    return client


class S3Store:
    """Objects of any bucket that the credentials may reach at one endpoint."""

    def __init__(self, config: StoreConfig) -> None:
        with _translated(config.endpoint_url or "s3"):
            self._client = make_client(config)
        self._assumed = {"yes": True, "no": False}.get(config.conditional_writes)
        self._honours: dict[str, bool] = {}
        self._probing = threading.Lock()

    @property
    def conditional_writes(self) -> bool:
        """False once a bucket was met that ignores `If-None-Match: *`."""
        return self._assumed is not False and all(self._honours.values())

    def read(self, uri: str, *, limit_bytes: int | None = None) -> Object:
        """See `Store.read`. A body that breaks off is fetched again, four times in all."""
        for remaining in reversed(range(_BODY_TRIES)):
            try:
                return self._read(_object_at(uri), uri, limit_bytes)
            except StoreUnavailable:
                if not remaining:
                    raise
                time.sleep(_PAUSE_SEC)
        raise AssertionError("unreachable")

    def _read(self, at: Location, uri: str, limit_bytes: int | None) -> Object:
        with _translated(uri):
            answer = self._client.get_object(Bucket=at.bucket, Key=at.key)
            size = int(answer["ContentLength"])
            with contextlib.closing(answer["Body"]) as body:
                if limit_bytes is not None and size > limit_bytes:
                    raise ObjectTooLarge(f"{uri}: {size} bytes, over the limit of {limit_bytes}")
                data = body.read()
        return Object(data, _etag(answer), len(data))

    def stat(self, uri: str) -> Stat | None:
        """See `Store.stat`."""
        try:
            answer = self._head(_object_at(uri), uri)
        except ObjectNotFound:
            return None
        return Stat(_etag(answer), int(answer["ContentLength"]), answer["LastModified"].timestamp())

    def _head(self, at: Location, uri: str, **arguments: str) -> Mapping[str, Any]:
        with _translated(uri):
            answer: Mapping[str, Any] = self._client.head_object(Bucket=at.bucket, Key=at.key, **arguments)
        return answer

    def write(
        self,
        uri: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        if_absent: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> Written:
        """See `Store.write`. What was stored is compared with `data` by ETag, or by length and CRC32."""
        at, digest = _object_at(uri), hashlib.sha256(data).hexdigest()
        facts: dict[str, Any] = {"ContentType": content_type, "Metadata": dict(metadata or {})}
        if if_absent:
            if self._honoured(at, uri):
                facts["IfNoneMatch"] = "*"
            elif self.stat(uri) is not None:
                return Written(digest, "", False)
        try:
            answer = self._put(at, uri, data, facts)
        except ObjectExists:
            return Written(digest, "", False)
        return Written(digest, self._verified(at, uri, data, answer), True)

    def _put(self, at: Location, uri: str, data: bytes, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """One PUT; a 409, which says that another write of the key is under way, is asked again."""
        for remaining in reversed(range(_CONFLICT_TRIES)):
            try:
                answer: Mapping[str, Any] = self._client.put_object(
                    Bucket=at.bucket, Key=at.key, Body=data, ContentLength=len(data), **facts
                )
                return answer
            except BOTO_ERRORS as error:
                ours = translate_boto_error(error, uri)
                conflict = isinstance(error, ClientError) and status_of(error) == 409
                if not (conflict and isinstance(ours, ObjectExists) and remaining):
                    raise ours from error
                time.sleep(_PAUSE_SEC)
        raise AssertionError("unreachable")

    def _verified(self, at: Location, uri: str, data: bytes, answer: Mapping[str, Any]) -> str:
        """The ETag of what is stored; an object that is not `data` is removed, so that no reader takes it for whole."""
        if _etag(answer) == _md5(data):
            return _etag(answer)
        held = self._head(at, uri, ChecksumMode="ENABLED")
        fault = _fault(data, held)
        if fault:
            with contextlib.suppress(StorageError):
                self.delete(uri)
            raise ChecksumMismatch(f"{uri}: {fault}")
        return _etag(held)

    def list(self, prefix_uri: str) -> Iterator[Listed]:
        """See `Store.list`."""
        at = bucket_and_key(prefix_uri)
        prefix = f"{at.key.rstrip('/')}/" if at.key.rstrip("/") else ""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=at.bucket, Prefix=prefix)
        with _translated(prefix_uri):
            for page in pages:
                yield from _listed(at.bucket, page)

    def page(self, bucket: str, prefix: str, start_after: str, limit: int = 1000) -> Page:
        """The objects whose keys begin with `prefix` and come behind `start_after`, `limit` or 1,000 at most."""
        with _translated(f"s3://{bucket}/{prefix}"):
            answer = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, StartAfter=start_after, MaxKeys=limit)
        return Page(_listed(bucket, answer), bool(answer.get("IsTruncated")))

    def delete(self, uri: str) -> None:
        """See `Store.delete`."""
        at = _object_at(uri)
        with contextlib.suppress(ObjectNotFound), _translated(uri):
            self._client.delete_object(Bucket=at.bucket, Key=at.key)

    def probe_conditional_writes(self, prefix_uri: str) -> bool:
        """See `Store.probe_conditional_writes`; asked once for each bucket."""
        at = bucket_and_key(prefix_uri)
        with self._probing:
            if at.bucket not in self._honours:
                self._honours[at.bucket] = honoured = self._probe(
                    join(prefix_uri, f".canvas-probe-{secrets.token_hex(8)}")
                )
                if not honoured:
                    _LOG.warning(
                        "s3://%s ignores If-None-Match; two writers of one key at once may both win", at.bucket
                    )
        return self._honours[at.bucket]

    def _honoured(self, at: Location, uri: str) -> bool:
        if self._assumed is not None:
            return self._assumed
        known = self._honours.get(at.bucket)
        return self.probe_conditional_writes(uri.rpartition("/")[0]) if known is None else known

    def _probe(self, uri: str) -> bool:
        at = _object_at(uri)
        try:
            for _ in range(2):
                self._client.put_object(Bucket=at.bucket, Key=at.key, Body=b"probe", IfNoneMatch="*")
        except BOTO_ERRORS as error:
            ours = translate_boto_error(error, uri)
            if isinstance(ours, ObjectExists):
                return True
            if isinstance(error, ClientError) and status_of(error) in _UNKNOWN_CONDITION:
                return False
            raise ours from error
        finally:
            with contextlib.suppress(StoreDenied):  # the job may write and not delete: one 5-byte object stays
                self.delete(uri)
        return False


def _object_at(uri: str) -> Location:
    at = bucket_and_key(uri)
    if not at.key:
        raise StorageError(f"{uri}: a bucket and no key")
    return at


@contextlib.contextmanager
def _translated(uri: str) -> Iterator[None]:
    try:
        yield
    except BOTO_ERRORS as error:
        raise translate_boto_error(error, uri) from error


def _etag(answer: Mapping[str, Any]) -> str:
    return str(answer.get("ETag", "")).strip('"')


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _listed(bucket: str, page: Mapping[str, Any]) -> list[Listed]:
    return [Listed(f"s3://{bucket}/{item['Key']}", item["Size"], _etag(item)) for item in page.get("Contents", ())]


def _fault(data: bytes, held: Mapping[str, Any]) -> str:
    """How the object that HEAD shows differs from `data`, "" where it does not."""
    if int(held["ContentLength"]) != len(data):
        return f"{held['ContentLength']} bytes stored of {len(data)}"
    checksum = held.get("ChecksumCRC32")
    if checksum:
        return "" if checksum == _crc32(data) else f"stored CRC32 {checksum}, sent {_crc32(data)}"
    etag = _etag(held)
    # Under encryption with the customer's or KMS's key the ETag is no MD5; nor is it in stores with their own form.
    is_md5 = len(etag) == _MD5_CHARS and "SSECustomerAlgorithm" not in held and _encryption(held) in ("", "AES256")
    return f"stored MD5 {etag}, sent {_md5(data)}" if is_md5 and etag != _md5(data) else ""


def _encryption(held: Mapping[str, Any]) -> str:
    return str(held.get("ServerSideEncryption", ""))


def _crc32(data: bytes) -> str:
    return b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
