"""Files that are either whole or not there, whoever else writes them."""
import fcntl
import functools
import os
import secrets
import stat
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from lcvision.errors import UserError

_SUFFIX = '.lcvision.tmp'
# A file may hold so many bytes unpacked, or so many times its own.
_UNPACKED, _RATIO = 2 ** 28, 4
_STALE_S = 3600  # no writer leaves its temporary file untouched for so long


def write_atomically(path: str | Path, content: bytes) -> None:
    """Writes a file so that nobody ever finds half of it, not even after a kill or a power cut.

    Any number of processes may write one file: a reader finds the whole of what one of them wrote. A symbolic link
    stays one, and the file that it names is written. What is no regular file (a device, a pipe), and the file that
    standard output or error goes to, is written to and never replaced. A missing folder is made.

    Raises:
        OSError: The disk is full or the folder cannot be written; the target is as before.
    """
    target = Path(path)
    try:
        status = target.stat()
    except FileNotFoundError:
        status = None
    stream = status and _stream(status)
    if stream:
        stream.flush()
        with open(stream.fileno(), 'wb', closefd=False) as file:
            file.write(content)
    elif status and not stat.S_ISREG(status.st_mode):
        with target.open('wb') as device:
            device.write(content)
    else:
        _replace(Path(os.path.realpath(target)), content, status)


def check_target(option: str, path: str | Path | None) -> None:
    """Raises a :class:`UserError` that names ``option`` if ``path`` cannot be written; None is no file."""
    if path is None:
        return
    target = Path(os.path.realpath(path))
    try:
        if target.is_dir():
            raise UserError(f'{option} {path} is a folder: give the name of a file')
        if not target.parent.is_dir():
            raise UserError(f'{option} {path} cannot be written: the folder {Path(path).parent} does not exist, create '
                            'it first')
        if not target.exists() or target.is_file():
            with tempfile.TemporaryFile(dir=target.parent):
                pass
        elif not os.access(target, os.W_OK):
            raise UserError(f'{option} {path} cannot be written: Permission denied')
    except OSError as error:
        raise UserError(f'{option} {path} cannot be written: {error.strerror}') from None


def check_unpacked(path: Path, size: int = 0) -> None:
    """Refuses, with a :class:`UserError`, a file whose content takes gigabytes that it does not have itself.

    ``size`` is that of the content in bytes, of an archive by itself the sum of what it says of its members.
    """
    with suppress(OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        if not size and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = sum(member.file_size for member in archive.infolist())
    if size > max(_UNPACKED, _RATIO * path.stat().st_size):
        raise UserError(f'{path} has {path.stat().st_size:,} bytes, but would take {size:,} of memory, as crafted '
                        'files do: get it from a source that you trust, or save it again without compression')


def cache_folder() -> Path | None:
    """``lcvision`` in XDG_CACHE_HOME or ``~/.cache``; None where there is no home folder either."""
    folder = Path(os.environ.get('XDG_CACHE_HOME', ''))
    if not folder.is_absolute():  # the specification says to ignore a relative path
        try:
            folder = Path('~/.cache').expanduser()
        except RuntimeError:  # a user without a home, as in many a container
            return None
    return folder / 'lcvision'


@contextmanager
def writing(what: str | Path) -> Iterator[None]:
    """Turns the error of a file or folder that cannot be written into a :class:`UserError` that names it."""
    try:
        yield
    except OSError as error:
        raise UserError(f'{what} cannot be written ({error.strerror or error}): check the disk and the permissions of '
                        'the folder, or give another') from error


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Keeps out other processes that ask for the same lock, so that a file can be read and written back changed.

    The lock is a hidden file next to ``path``, which stays; a missing folder is made, or OSError raised.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f'.{path.name}.lock').open('ab') as file:
        with suppress(OSError):  # a file system without locks: a lost change is better than none
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _stream(status: os.stat_result) -> TextIO | None:
    """The one of this process's output streams that goes to a file."""
    for stream in (sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError):  # closed
            if stream and os.path.samestat(os.fstat(stream.fileno()), status):
                return stream
    return None


def _replace(target: Path, content: bytes, status: os.stat_result | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(target.parent)
    temporary = target.parent / f'.{secrets.token_hex(8)}{_SUFFIX}'
    try:
        with temporary.open('xb') as file:
            if status:
                with suppress(PermissionError):  # a file system without modes
                    os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@functools.cache
def _remove_stale(folder: Path) -> None:
    """Removes what killed writers left in a folder, once in a process."""
    for path in folder.glob(f'.*{_SUFFIX}'):
        with suppress(FileNotFoundError):  # another process was faster
            if time.time() - path.stat().st_mtime > _STALE_S:
                path.unlink()
