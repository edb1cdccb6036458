from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from transforms.errors import ObjectNotFound, StorageError, StoreDenied, StoreFull
from transforms.storage.local import PARTIAL_PREFIX, PARTIAL_SUFFIX, LocalStore, translate_os_error

STORE = LocalStore()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB; where it may not be mounted, files that may not grow beyond 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode == 0:
        yield folder
        subprocess.run(["umount", folder], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    yield folder
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_told_and_leaves_nothing_behind(small_disk: Path) -> None:
    STORE.write(str(small_disk / "before"), b"kept")
    with pytest.raises(StoreFull, match=r"a\.jpg"):
        STORE.write(str(small_disk / "a.jpg"), b"x" * 1_000_000)
    assert [path.name for path in small_disk.iterdir()] == ["before"]
    STORE.write(str(small_disk / "after"), b"y" * 1000)


def test_an_overwrite_on_a_full_disk_keeps_the_old_object(small_disk: Path) -> None:
    STORE.write(str(small_disk / "a"), b"old")
    with pytest.raises(StoreFull):
        STORE.write(str(small_disk / "a"), b"x" * 1_000_000)
    assert STORE.read(str(small_disk / "a")).data == b"old"


def test_a_killed_writer_leaves_no_object_and_no_listed_partial(tmp_path: Path) -> None:
    code = f"""
        from transforms.storage.local import LocalStore
        store, n = LocalStore(), 0
        while True:
            store.write(f"{tmp_path}/{{n % 7}}.bin", bytes([n % 251]) * 3_000_000)
            n += 1
    """
    for delay in (0.01, 0.02, 0.03):
        for path in tmp_path.iterdir():
            path.unlink()
        writer = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=Path(__file__).parents[3])
        while len(list(tmp_path.glob("*.bin"))) < 3:
            time.sleep(0.005)
        time.sleep(delay)
        writer.kill()
        writer.wait()
    (tmp_path / f"{PARTIAL_PREFIX}1-dead{PARTIAL_SUFFIX}").write_bytes(b"half")
    listed = list(STORE.list(str(tmp_path)))
    assert len(listed) >= 3 and all(each.uri.endswith(".bin") for each in listed)
    for each in listed:
        data = STORE.read(each.uri).data
        assert len(data) == 3_000_000 and len(set(data)) == 1


def test_no_reader_ever_sees_half_an_object(tmp_path: Path) -> None:
    uri, seen = str(tmp_path / "a"), set()
    STORE.write(uri, b"0" * 1_000_000)
    child = os.fork()
    if child == 0:
        for n in range(40):
            STORE.write(uri, bytes([48 + n % 10]) * 1_000_000)
        os._exit(0)
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        data = STORE.read(uri).data
        seen.add((len(data), len(set(data))))
    assert seen <= {(1_000_000, 1)}


def test_files_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        STORE.write(str(tmp_path / "a"), b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_a_folder_without_permission_is_denied(tmp_path: Path) -> None:
    code = f"""
        import os
        from transforms.errors import StoreDenied
        from transforms.storage.local import LocalStore
        os.setuid(65534)
        try:
            LocalStore().write("{tmp_path}/closed/a", b"x")
        except StoreDenied as error:
            print(error.reason)
    """
    tmp_path.chmod(0o755)
    (tmp_path / "closed").mkdir(mode=0o755)
    if os.getuid() != 0:
        (tmp_path / "closed").chmod(0o555)
        with pytest.raises(StoreDenied):
            STORE.write(str(tmp_path / "closed" / "a"), b"x")
        return
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=Path(__file__).parents[3], capture_output=True, check=True
    )
    # Folders above may be closed to others too; what is asked is that the error is ours.
    assert done.stdout.strip() == b"store_denied"


def test_without_hard_links_the_first_object_stays_and_the_store_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    store = LocalStore()
    assert store.conditional_writes
    assert store.write(str(tmp_path / "a"), b"first", if_absent=True).created
    assert not store.write(str(tmp_path / "a"), b"second", if_absent=True).created
    assert store.read(str(tmp_path / "a")).data == b"first"
    assert not store.conditional_writes and not store.probe_conditional_writes(str(tmp_path))
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_pipe_is_not_an_object_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ObjectNotFound, match="regular"):
        STORE.read(str(tmp_path / "pipe"))
    assert list(STORE.list(str(tmp_path))) == []


def test_a_listing_is_in_the_order_of_keys_and_follows_no_folder_links(tmp_path: Path) -> None:
    for name in ("a/z", "a-b", "a0", "b/c/d", "b.txt"):
        STORE.write(str(tmp_path / name), b"x")
    (tmp_path / "loop").symlink_to(tmp_path)
    keys = [each.uri.removeprefix(f"{tmp_path}/") for each in STORE.list(str(tmp_path))]
    assert keys == ["a-b", "a/z", "a0", "b.txt", "b/c/d"]


def test_a_file_in_the_way_of_a_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(StorageError) as caught:
        STORE.write(str(tmp_path / "a" / "b"), b"x")
    assert not isinstance(caught.value, ObjectNotFound)


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_every_error_of_the_file_system_becomes_ours(number: int) -> None:
    ours = translate_os_error(OSError(number, os.strerror(number)), "/out/a")
    assert isinstance(ours, StorageError) and "/out/a" in str(ours)
