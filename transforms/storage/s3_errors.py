"""The one place where S3's and botocore's errors become ours."""

from __future__ import annotations

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from transforms.errors import (
    ChecksumMismatch,
    ObjectExists,
    ObjectNotFound,
    StorageError,
    StoreDenied,
    StoreFull,
    StoreUnavailable,
)

# Codes that say more than their HTTP status. AWS's list: "Error responses" in the S3 API reference; the quota and
# storage codes are those of MinIO, Ceph and SeaweedFS.
_CODES: dict[str, type[StorageError]] = {
    "BadDigest": ChecksumMismatch,
    "InvalidDigest": ChecksumMismatch,
    "XAmzContentChecksumMismatch": ChecksumMismatch,
    "XAmzContentSHA256Mismatch": ChecksumMismatch,
    "ExpiredToken": StoreDenied,
    "InvalidToken": StoreDenied,
    "QuotaExceeded": StoreFull,
    "InsufficientStorage": StoreFull,
    "XMinioAdminBucketQuotaExceeded": StoreFull,
    "XMinioStorageFull": StoreFull,
    "RequestTimeout": StoreUnavailable,
    "SlowDown": StoreUnavailable,
    "ConditionalRequestConflict": ObjectExists,
    "OperationAborted": StoreUnavailable,
}
_STATUSES: dict[int, type[StorageError]] = {
    401: StoreDenied,
    403: StoreDenied,
    404: ObjectNotFound,
    408: StoreUnavailable,
    412: ObjectExists,
    429: StoreUnavailable,
    501: StorageError,
    507: StoreFull,
}
_REMEDIES = {
    "NoSuchBucket": "create the bucket, or correct the URI",
    "PermanentRedirect": "set --s3_region to the bucket's region",
    "AuthorizationHeaderMalformed": "set --s3_region to the bucket's region",
    "RequestTimeTooSkewed": "set this machine's clock",
}
# The first class that fits counts.
_CLASSES: tuple[tuple[tuple[type[Exception], ...], type[StorageError]], ...] = (
    ((boto.ChecksumError, boto.FlexibleChecksumError), ChecksumMismatch),
    ((boto.SSLError,), StorageError),
    (
        (
            boto.NoCredentialsError,
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.LoginError,
            boto.RefreshWithMFAUnsupportedError,
            boto.MetadataRetrievalError,
            boto.NoAuthTokenError,
            boto.SSOError,
            boto.TokenRetrievalError,
            boto.UnauthorizedSSOTokenError,
        ),
        StoreDenied,
    ),
    ((boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError, ResponseParserError), StoreUnavailable),
)

BOTO_ERRORS = (BotoCoreError, ClientError, ResponseParserError)


def translate_boto_error(error: Exception, uri: str) -> StorageError:
    """Our error for anything that boto3 raises about `uri`; its message is redacted."""
    if isinstance(error, ClientError):
        return _from_answer(error, uri)
    for classes, kind in _CLASSES:
        if isinstance(error, classes):
            return kind(f"{uri}: {error}")
    return StorageError(f"{uri}: {type(error).__name__}: {error}", remedy="check the --s3_* options and credentials")


def status_of(error: ClientError) -> int:
    """The HTTP status of the store's answer, 0 where it carried none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _from_answer(error: ClientError, uri: str) -> StorageError:
    facts = error.response.get("Error", {})
    code, message, status = str(facts.get("Code", "")), facts.get("Message", ""), status_of(error)
    kind = _CODES.get(code) or _STATUSES.get(status) or (StoreUnavailable if status >= 500 else StorageError)
    return kind(f"{uri}: {error.operation_name} answered {status} {code}: {message}", remedy=_REMEDIES.get(code))
