"""Local files as an object store: written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from transforms.errors import ObjectNotFound, ObjectTooLarge, StorageError, StoreDenied, StoreFull, StoreUnavailable
from transforms.storage.store import Listed, Object, Stat, Written
from transforms.storage.uris import join, local_path

_LOG = logging.getLogger(__name__)
PARTIAL_PREFIX, PARTIAL_SUFFIX = ".canvas-", ".partial"
_READ_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # without O_NONBLOCK, opening a pipe waits for its writer
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)

_ERRORS: dict[int, type[StorageError]] = {
    errno.ENOENT: ObjectNotFound,
    errno.ENOTDIR: ObjectNotFound,
    errno.EISDIR: ObjectNotFound,
    errno.ENAMETOOLONG: ObjectNotFound,
    errno.ELOOP: ObjectNotFound,
    errno.ENXIO: ObjectNotFound,
    errno.EACCES: StoreDenied,
    errno.EPERM: StoreDenied,
    errno.EROFS: StoreDenied,
    errno.ENOSPC: StoreFull,
    errno.EDQUOT: StoreFull,
    errno.EFBIG: StoreFull,
    errno.EIO: StoreUnavailable,
    errno.ESTALE: StoreUnavailable,
    errno.ETIMEDOUT: StoreUnavailable,
    errno.EMFILE: StoreUnavailable,
    errno.ENFILE: StoreUnavailable,
}


def translate_os_error(error: OSError, uri: str) -> StorageError:
    """The one place where the file system's errors become ours."""
    kind = _ERRORS.get(error.errno or 0, StorageError)
    return kind(f"{uri}: {error.strerror or error}")


class LocalStore:
    """Files below any folder. Parent folders appear as needed; leftovers of killed writers are never listed."""

    def __init__(self) -> None:
        self._links = True

    @property
    def conditional_writes(self) -> bool:
        """True until a file system has refused a hard link."""
        return self._links

    def probe_conditional_writes(self, prefix_uri: str) -> bool:
        """See `Store.probe_conditional_writes`: hard links make `if_absent` atomic."""
        uri = join(prefix_uri, f"{PARTIAL_PREFIX}probe-{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
        try:
            self.write(uri, b"probe", if_absent=True)
        finally:
            self.delete(uri)
        return self._links

    def read(self, uri: str, *, limit_bytes: int | None = None) -> Object:
        """See `Store.read`."""
        path = local_path(uri)
        with _translated(uri), os.fdopen(os.open(path, _READ_FLAGS), "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise ObjectNotFound(f"{uri}: not a regular file")
            data = file.read() if limit_bytes is None else file.read(limit_bytes + 1)
        if limit_bytes is not None and len(data) > limit_bytes:
            raise ObjectTooLarge(f"{uri}: {facts.st_size} bytes, over the limit of {limit_bytes}")
        return Object(data, file_identity(facts), len(data))

    def stat(self, uri: str) -> Stat | None:
        """See `Store.stat`."""
        try:
            with _translated(uri):
                facts = local_path(uri).stat()
        except ObjectNotFound:
            return None
        return Stat(file_identity(facts), facts.st_size, facts.st_mtime) if stat.S_ISREG(facts.st_mode) else None

    def write(
        self,
        uri: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002
        if_absent: bool = False,
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Written:
        """See `Store.write`: a temporary file beside the target, synced, then linked or renamed into place."""
        path, digest = local_path(uri), hashlib.sha256(data).hexdigest()
        with _translated(uri, writing=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{PARTIAL_PREFIX}{os.getpid()}-{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
            try:
                identity = _write_synced(partial, data)
                created = self._place(partial, path, if_absent)
            finally:
                partial.unlink(missing_ok=True)
            _sync_folder(path.parent)
        return Written(digest, identity if created else "", created)

    def _place(self, partial: Path, path: Path, if_absent: bool) -> bool:
        if not if_absent:
            partial.replace(path)
            return True
        try:
            path.hardlink_to(partial)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return self._place_without_links(partial, path)
        return True

    def _place_without_links(self, partial: Path, path: Path) -> bool:
        if self._links:
            _LOG.warning("%s: no hard links here; two writers of one key at once may both win", path.parent)
            self._links = False
        if path.exists():
            return False
        partial.replace(path)
        return True

    def list(self, prefix_uri: str) -> Iterator[Listed]:
        """See `Store.list`. Symbolic links to folders are not followed."""
        for relative, facts in _walk(local_path(prefix_uri), "", prefix_uri):
            yield Listed(join(prefix_uri, relative), facts.st_size, file_identity(facts))

    def delete(self, uri: str) -> None:
        """See `Store.delete`."""
        with contextlib.suppress(ObjectNotFound), _translated(uri):
            local_path(uri).unlink()


def file_identity(facts: os.stat_result) -> str:
    """`<bytes>-<mtime in nanoseconds>`."""
    return f"{facts.st_size}-{facts.st_mtime_ns}"


@contextlib.contextmanager
def _translated(uri: str, *, writing: bool = False) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        ours = translate_os_error(error, uri)
        if writing and isinstance(ours, ObjectNotFound):
            ours = StorageError(str(ours), remedy="no file can have this name; choose another output folder")
        raise ours from error
    except ValueError as error:  # a null byte, or half of a surrogate pair
        raise ObjectNotFound(f"{uri!r}: no path: {error}") from error


def _write_synced(path: Path, data: bytes) -> str:
    with os.fdopen(os.open(path, _WRITE_FLAGS, 0o666), "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        os.fsync(file.fileno())
        return file_identity(os.fstat(file.fileno()))


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut; some network file systems cannot sync a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _walk(folder: Path, relative: str, uri: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with _translated(uri), os.scandir(folder) as found:
            # A folder sorts as its name and a slash: so the whole walk is in the order of keys, as in S3.
            entries = sorted((f"{e.name}/" if e.is_dir(follow_symlinks=False) else e.name, e) for e in found)
    except ObjectNotFound:
        return
    for name, entry in entries:
        if name.endswith("/"):
            yield from _walk(Path(entry.path), relative + name, uri)
        elif not (name.startswith(PARTIAL_PREFIX) and name.endswith(PARTIAL_SUFFIX)):
            with contextlib.suppress(OSError):  # deleted since, or a link to nothing
                facts = entry.stat()
                if stat.S_ISREG(facts.st_mode):
                    yield relative + name, facts
