from __future__ import annotations

import inspect

import pytest
from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from transforms.errors import (
    ChecksumMismatch,
    ObjectExists,
    ObjectNotFound,
    StorageError,
    StoreDenied,
    StoreFull,
    StoreUnavailable,
)
from transforms.storage.s3 import S3Store, make_client
from transforms.storage.s3_errors import BOTO_ERRORS, translate_boto_error
from transforms.storage.store import StoreConfig

CLASSES = sorted(
    {
        each
        for each in vars(boto).values()
        if inspect.isclass(each) and issubclass(each, BotoCoreError) and each.__module__ == boto.__name__
    },
    key=lambda each: each.__name__,
)
ANSWERS = [
    ("NoSuchKey", 404, ObjectNotFound),
    ("404", 404, ObjectNotFound),
    ("NoSuchBucket", 404, ObjectNotFound),
    ("AccessDenied", 403, StoreDenied),
    ("SignatureDoesNotMatch", 403, StoreDenied),
    ("InvalidAccessKeyId", 403, StoreDenied),
    ("ExpiredToken", 400, StoreDenied),
    ("PreconditionFailed", 412, ObjectExists),
    ("ConditionalRequestConflict", 409, ObjectExists),
    ("QuotaExceeded", 403, StoreFull),
    ("XMinioStorageFull", 507, StoreFull),
    ("BadDigest", 400, ChecksumMismatch),
    ("SlowDown", 503, StoreUnavailable),
    ("InternalError", 500, StoreUnavailable),
    ("TooManyRequests", 429, StoreUnavailable),
    ("RequestTimeout", 400, StoreUnavailable),
    ("MalformedXML", 400, StorageError),
    ("Unheard", 0, StorageError),
]


class _Anything(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return f"some {key}"


def make(kind: type[BotoCoreError]) -> BotoCoreError:
    """An instance, whatever its message needs."""
    error = kind.__new__(kind)
    Exception.__init__(error, kind.fmt.format_map(_Anything()))
    return error


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_of_botocore_becomes_an_error_of_ours(kind: type[BotoCoreError]) -> None:
    ours = translate_boto_error(make(kind), "s3://catalog/a")
    assert isinstance(ours, StorageError) and "s3://catalog/a" in str(ours)
    if issubclass(kind, boto.HTTPClientError | boto.ConnectionError) and kind is not boto.SSLError:
        assert ours.retryable
    if "Credential" in kind.__name__ and "Unknown" not in kind.__name__:
        assert isinstance(ours, StoreDenied)


@pytest.mark.parametrize(("code", "status", "kind"), ANSWERS)
def test_answers_of_stores_become_errors_of_ours(code: str, status: int, kind: type[StorageError]) -> None:
    facts = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    ours = translate_boto_error(ClientError(facts, "PutObject"), "s3://catalog/a")
    assert type(ours) is kind


def test_an_answer_that_cannot_be_parsed_may_be_asked_again() -> None:
    assert translate_boto_error(ResponseParserError("not XML"), "s3://catalog/a").retryable
    assert ResponseParserError in BOTO_ERRORS


def test_secrets_do_not_reach_the_message() -> None:
    error = boto.EndpointConnectionError(endpoint_url="http://ann:hunter2@host/?X-Amz-Signature=abcdef")
    text = str(translate_boto_error(error, "s3://catalog/a"))
    assert "hunter2" not in text and "abcdef" not in text
    facts = {"Error": {"Code": "InvalidAccessKeyId", "Message": "AKIAIOSFODNN7EXAMPLE is unknown"}}
    assert "AKIA" not in str(translate_boto_error(ClientError(facts, "GetObject"), "s3://catalog/a"))


def test_a_409_that_stays_is_a_lost_write(aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    store = S3Store(StoreConfig(conditional_writes="yes"))
    stub = Stubber(store._client)
    for _ in range(5):
        stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
    monkeypatch.setattr("transforms.storage.s3._PAUSE_SEC", 0.0)
    with stub:
        assert not store.write("s3://catalog/a", b"x", if_absent=True).created
    stub.assert_no_pending_responses()


def test_missing_credentials_are_denied(aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreDenied, match="credentials"):
        S3Store(StoreConfig(endpoint_url="http://127.0.0.1:1")).read("s3://catalog/a")


def test_an_unusable_configuration_is_a_storage_error(aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(StorageError, match="nobody"):
        S3Store(StoreConfig())


def test_the_client_is_made_as_configured(aws_credentials: None) -> None:
    config = make_client(StoreConfig(addressing="path", checksum="when_required", max_connections=3)).meta.config
    assert config.s3["addressing_style"] == "path"
    assert config.request_checksum_calculation == "when_required"
    assert (config.max_pool_connections, config.retries["total_max_attempts"]) == (3, 10)
