"""One error tree.

::

    CanvasError                     stage, reason, remedy, retryable
    ├── ConfigError                 the job as configured cannot run
    ├── ManifestError               a schema or a row of the manifest
    │   └── GroupError              rows that cannot be one scene
    ├── TableError                  a table of a run, of traffic, ratings or answers that a command was given
    ├── SourceError                 the image a row refers to
    │   ├── SourceNotAllowed        outside --allow_source, or a private address
    │   ├── SourceNotFound          404, no such file or key
    │   ├── SourceDenied            401, 403, permission
    │   ├── SourceEmpty             0 bytes
    │   ├── SourceTooLarge          over the byte limit
    │   ├── SourceUnavailable       timeout, reset, 5xx (retryable)
    │   ├── NotAnImage              no known image signature
    │   ├── WrongContent            a page or a document in place of an image
    │   ├── UnsupportedImage        an image whose format or mode is not accepted
    │   ├── TruncatedImage          ends before its pixels do
    │   └── TooManyPixels           a bomb, or over the pixel limit
    ├── ServingError                the inference server
    │   ├── ServerUnavailable       down, draining (retryable)
    │   │   ├── QueueFull           more requests than the server queues (retryable)
    │   │   └── StubCrashed         a model's process died (retryable)
    │   ├── DeadlineExceeded        no answer in time (retryable)
    │   ├── ModelNotFound           the server does not hold the model
    │   ├── RequestRefused          the server refuses name, dtype or shape
    │   ├── ModelFailed             the model raised
    │   │   └── NothingToCopy       the painter may copy nothing of the picture
    │   └── InvalidAnswer           the answer breaks the contract
    ├── StorageError                the object store
    │   ├── ObjectNotFound
    │   ├── ObjectExists            a conditional write lost
    │   ├── ObjectTooLarge          over the reader's byte limit
    │   ├── StoreDenied
    │   ├── StoreFull
    │   ├── StoreUnavailable        (retryable)
    │   └── ChecksumMismatch        what was stored is not what was sent (retryable)
    └── RunAborted                  circuit breaker, budget, interrupt

    Refusal                         not an error: a row or placement ends without a creative
    ├── Skipped                     the input does not fit the task
    └── Rejected                    the result is not good enough; the original stays

Every class carries the reason that the index shows (snake case, one word a cause) and the remedy that a reader
of the dead letter needs. Messages never contain credentials: see :func:`redact`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar


class CanvasError(Exception):
    """The root: what went wrong, where, whether a retry can help, and the remedy."""

    reason: ClassVar[str] = "error"
    remedy: ClassVar[str] = "see the message"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(_writable(redact(message)))
        if remedy is not None:
            self.remedy = remedy  # type: ignore[misc]

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), str(self), self.remedy))


def _writable(message: str) -> str:
    """`message` as UTF-8 can hold it: a link may lead to a name of any bytes, and such a row must not spoil a table."""
    return message.encode("utf-8", "backslashreplace").decode()


def _rebuild(cls: type[CanvasError], message: str, remedy: str) -> CanvasError:
    return cls(message, remedy=remedy)


class ConfigError(CanvasError):
    """The job as configured cannot run; raised at launch."""

    reason = "config"
    remedy = "correct the option that the message names"


class ManifestError(CanvasError):
    """A manifest's schema (at launch) or one of its rows (a dead letter)."""

    reason = "bad_row"
    remedy = "correct the row or the column that the message names"


class GroupError(ManifestError):
    """Rows of a manifest that cannot be placed together in one scene."""

    reason = "bad_group"
    remedy = "give the group 1 to 8 different products"


class TableError(CanvasError):
    """A table of a run, of traffic, ratings or answers that a command was given cannot be used."""

    reason = "table"
    remedy = "correct the column or the row that the message names"


class SourceError(CanvasError):
    """The image that a row refers to cannot be used."""

    reason = "source"
    remedy = "check image_uri"


class SourceNotAllowed(SourceError):
    """The reference lies outside --allow_source, or resolves to a private address."""

    reason = "source_not_allowed"
    remedy = "add the prefix or host to --allow_source if the job may read it"


class SourceNotFound(SourceError):
    """404, no such file or key."""

    reason = "not_found"
    remedy = "upload the image or correct image_uri"


class SourceDenied(SourceError):
    """401, 403, or a permission of the file system."""

    reason = "denied"
    remedy = "grant the job read access to the image"


class SourceEmpty(SourceError):
    """The object exists and has no bytes."""

    reason = "empty"
    remedy = "upload the image again"


class SourceTooLarge(SourceError):
    """More bytes than the limit."""

    reason = "too_large"
    remedy = "upload a smaller file or raise --max_source_bytes"


class SourceUnavailable(SourceError):
    """A timeout, a reset, a 5xx: another try may succeed."""

    reason = "source_unavailable"
    remedy = "run again; check the image host if it persists"
    retryable = True


class NotAnImage(SourceError):
    """The bytes carry no known image signature."""

    reason = "not_an_image"
    remedy = "upload a JPEG, PNG, WebP, TIFF or GIF"


class WrongContent(SourceError):
    """A web page or a document came in place of an image."""

    reason = "wrong_content"
    remedy = "image_uri must answer with the image itself, not a page"


class UnsupportedImage(SourceError):
    """An image whose format or mode is not accepted."""

    reason = "unsupported_image"
    remedy = "upload a JPEG, PNG, WebP, TIFF or GIF in a common mode"


class TruncatedImage(SourceError):
    """The file ends before its pixels do, or its pixels are damaged."""

    reason = "truncated"
    remedy = "upload the image again"


class TooManyPixels(SourceError):
    """More pixels than the limit: a decompression bomb or an oversized scan."""

    reason = "too_many_pixels"
    remedy = "upload a smaller image or raise --max_source_pixels"


class ServingError(CanvasError):
    """The inference server did not give a usable answer."""

    reason = "serving"
    remedy = "check the inference server's log"


class ServerUnavailable(ServingError):
    """Down, draining, or not answering."""

    reason = "server_unavailable"
    remedy = "start or restart the inference server, then run again"
    retryable = True


class QueueFull(ServerUnavailable):
    """More requests than the server queues, or one that queued for too long."""

    reason = "queue_full"
    remedy = "add server instances or lower the requests in flight, then run again"


class StubCrashed(ServerUnavailable):
    """The process that runs a Python model died; the server answers with errors until the model is loaded again."""

    reason = "stub_crashed"
    remedy = "restart the inference server, and see its log for what killed the model's process"


class DeadlineExceeded(ServingError):
    """No answer within the deadline."""

    reason = "deadline_exceeded"
    remedy = "add server instances or raise --deadline_sec, then run again"
    retryable = True


class ModelNotFound(ServingError):
    """The server does not hold the model."""

    reason = "model_not_found"
    remedy = "load the model from triton_repo/ on every endpoint"


class RequestRefused(ServingError):
    """The server refuses a name, dtype or shape: client and repository differ."""

    reason = "request_refused"
    remedy = "serve the repository of this pipeline version"


class ModelFailed(ServingError):
    """The model raised while it computed."""

    reason = "model_failed"
    remedy = "check the inference server's log for the model's traceback"


class NothingToCopy(ModelFailed):
    """A painter that goes on with the picture's own pixels may copy none of them: the product is everywhere."""

    reason = "nothing_to_copy"
    remedy = "give a picture with some of the room around the product, or name a painter that invents"


class InvalidAnswer(ServingError):
    """The answer's name, dtype, shape or values break the contract."""

    reason = "invalid_answer"
    remedy = "serve the repository of this pipeline version; check numpy on the server"


class StorageError(CanvasError):
    """The object store did not do what was asked."""

    reason = "storage"
    remedy = "check the store"


class ObjectNotFound(StorageError):
    """No such key."""

    reason = "object_not_found"
    remedy = "check that it is there, and how it is spelled"


class ObjectExists(StorageError):
    """A conditional write found the key taken."""

    reason = "object_exists"


class ObjectTooLarge(StorageError):
    """More bytes than the reader's limit."""

    reason = "object_too_large"


class StoreDenied(StorageError):
    """The credentials do not allow it."""

    reason = "store_denied"
    remedy = "grant the job's credentials access to what the message names"


class StoreFull(StorageError):
    """No space left, or over the quota."""

    reason = "store_full"
    remedy = "free space, then run again"


class StoreUnavailable(StorageError):
    """Throttled, refused, reset or 5xx after all attempts."""

    reason = "store_unavailable"
    remedy = "run again when the store answers"
    retryable = True


class ChecksumMismatch(StorageError):
    """What the store holds is not what was sent."""

    reason = "checksum_mismatch"
    remedy = "run again; check --s3_checksum against the store"
    retryable = True


class RunAborted(CanvasError):
    """The run stopped early: circuit breaker, budget cap, or an interrupt."""

    reason = "aborted"
    remedy = "mend the cause, then run again: what is done is kept"


class Refusal(Exception):
    """A row or placement ends without a creative, by design.

    Attributes:
        reason: snake case, one word a cause, as the index shows it.
        value: the measured value, None where nothing is measured.
        limit: the limit that the value was held against.
        detail: one sentence for a reader.
        scores: everything that its stage measured, by name: the index shows it beside the value.
    """

    outcome: ClassVar[str]

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        value: float | None = None,
        limit: float | None = None,
        scores: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(detail or reason)
        self.reason, self.detail, self.value, self.limit = reason, detail or reason, value, limit
        self.scores = dict(scores or {})

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_refusal, (type(self), self.reason, self.detail, self.value, self.limit, self.scores))


def _rebuild_refusal(
    cls: type[Refusal],
    reason: str,
    detail: str,
    value: float | None,
    limit: float | None,
    scores: Mapping[str, float],
) -> Refusal:
    return cls(reason, detail, value=value, limit=limit, scores=scores)


class Skipped(Refusal):
    """The input does not fit the task; nothing was painted."""

    outcome = "skipped"


class Rejected(Refusal):
    """The result is not good enough; the original stays."""

    outcome = "rejected"


MASK = "***"
_SECRETS = re.compile(
    r"(?i)(://)[^/?#\s]+@"  # user:password@ in a URL; the last @ ends it
    # no word border in front of them: access_token, client_secret, accessToken; sig is Azure's signature
    r"|(x-amz-credential|signature|token|secret|password|api[_-]?key|access[_-]?key|\bsig)"
    r"([\"']?(?:=|:\s*|%3d)[\"']?)[^\s&\"',;]+"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|(authorization:\s*\w+\s+)\S+"
)


def redact(text: str) -> str:
    """`text` without credentials: URL user info, signed-query values, access keys and authorization headers.

    >>> redact("GET https://ann:pw@host/a.jpg?X-Amz-Signature=abc&w=1")
    'GET https://***@host/a.jpg?X-Amz-Signature=***&w=1'
    """

    def mask(match: re.Match[str]) -> str:
        if match.group(1):
            return f"://{MASK}@"
        if match.group(2):
            return f"{match.group(2)}{match.group(3)}{MASK}"
        return f"{match.group(4)}{MASK}" if match.group(4) else MASK

    return _SECRETS.sub(mask, text)
