"""What the server's statuses mean; the texts were read off tritonserver 2.51 and gRPC 1.85."""

from __future__ import annotations

from collections.abc import Mapping

from transforms.errors import (
    DeadlineExceeded,
    ModelFailed,
    ModelNotFound,
    NothingToCopy,
    QueueFull,
    RequestRefused,
    ServerUnavailable,
    ServingError,
    StubCrashed,
)

_BY_STATUS: Mapping[str, type[ServingError]] = {
    "": RequestRefused,
    "INVALID_ARGUMENT": RequestRefused,
    "UNAUTHENTICATED": RequestRefused,
    "PERMISSION_DENIED": RequestRefused,
    "UNIMPLEMENTED": RequestRefused,
    "NOT_FOUND": ModelNotFound,
    "INTERNAL": ModelFailed,
    "UNAVAILABLE": ServerUnavailable,
    "CANCELLED": ServerUnavailable,
    "ABORTED": ServerUnavailable,
    "RESOURCE_EXHAUSTED": ServerUnavailable,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
}


def class_of(status: str, text: str) -> type[ServingError]:
    """The class of ours for gRPC status `status` ("" where none) with message `text`."""
    if "Stub process" in text:
        return StubCrashed
    if status == "INTERNAL" and "NoSource: " in text:  # as transforms.ops.quilting raises it
        return NothingToCopy
    if status == "UNAVAILABLE" and ("Exceeds maximum queue size" in text or "Request timeout expired" in text):
        return QueueFull
    if status == "NOT_FOUND" and "has no available versions" in text:  # unloaded, or the server drains
        return ServerUnavailable
    if status == "RESOURCE_EXHAUSTED" and "larger than max" in text:
        return RequestRefused
    if "Stream removed" in text or "Socket closed" in text:
        return ServerUnavailable
    return _BY_STATUS.get(status, ServingError)
