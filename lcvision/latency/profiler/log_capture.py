"""Takes what this process prints from C, oneDNN's verbose log first of all, while something runs."""
import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import torch

_STDOUT, _STDERR = 1, 2


class Log:
    """A log that is being written.

    Args:
        file: It is written to.
    """

    def __init__(self, file: IO[bytes]):
        self._file = file

    def position(self) -> int:
        """Bytes written so far; oneDNN flushes every line."""
        return os.fstat(self._file.fileno()).st_size

    def text(self) -> str:
        """All that was written, a character for a byte."""
        return os.pread(self._file.fileno(), self.position(), 0).decode('latin-1')


@contextmanager
def capture_log() -> Iterator[Log]:
    """Has oneDNN tell of every execution, into a file that takes the place of standard output meanwhile.

    oneDNN prints from C, so that the descriptor itself is turned: whatever else prints lands there too.

    Yields:
        The log.
    """
    with _captured(_STDOUT) as log, torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
        yield log


@contextmanager
def capture_stderr() -> Iterator[Log]:
    """Keeps what is printed on standard error off the terminal.

    Yields:
        What was printed.
    """
    with _captured(_STDERR) as log:
        yield log


@contextmanager
def _captured(descriptor: int) -> Iterator[Log]:
    libc = ctypes.CDLL(None)
    stream = sys.stdout if descriptor == _STDOUT else sys.stderr
    with tempfile.TemporaryFile() as file:
        stream.flush()
        libc.fflush(None)
        kept = os.dup(descriptor)
        os.dup2(file.fileno(), descriptor)
        try:
            yield Log(file)
        finally:
            stream.flush()
            libc.fflush(None)
            os.dup2(kept, descriptor)
            os.close(kept)
