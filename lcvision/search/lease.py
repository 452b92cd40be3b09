"""Who works on what, in a folder that several processes and hosts share."""
import contextlib
import json
import os
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_STALE_S = 300.
RENEW_S = 30.
"""A lease is renewed this often; it is anyone's when it was not for ten times as long."""


class Leases:
    """Leases on names, each a file that its holder renews.

    They keep two processes from doing the same twice; that nothing counts twice is the folder's part, where the first
    complete result stands. A lease is made as a whole under its name (a hard link), so that one process alone gets it.

    Args:
        folder: Where the files are; it is made.
    """

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._me = json.dumps(_identity(os.getpid()) | {'token': secrets.token_hex(4)}).encode()
        self._held: set[str] = set()

    def claim(self, name: str) -> bool:
        """Takes a lease that is free, or whose holder is dead or silent; whether it could."""
        path, draft = self._folder / name, self._folder / f'.{name}.{secrets.token_hex(4)}'
        draft.write_bytes(self._me)
        try:
            for _ in range(2):
                try:
                    os.link(draft, path)
                except FileExistsError:
                    # The draft's time is the file server's, as the lease's is.
                    if not self._take_away(path, draft.stat().st_mtime):
                        return False
                else:
                    self._held.add(name)
                    return True
        finally:
            draft.unlink(missing_ok=True)
        return False

    def release(self, names: Iterable[str]) -> None:
        """Gives leases back, as far as they are still held."""
        for name in list(names):
            self._held.discard(name)
            path = self._folder / name
            with contextlib.suppress(OSError):
                if path.read_bytes() == self._me:
                    path.unlink()

    def renew(self) -> None:
        """Says that the holder lives."""
        for name in self._held:
            with contextlib.suppress(OSError):  # taken by another, since this process was asleep for long
                if (self._folder / name).read_bytes() == self._me:
                    os.utime(self._folder / name)

    def _take_away(self, path: Path, now: float) -> bool:
        """Removes a lease whose holder is gone; whether the name may be free now."""
        try:
            content, age = path.read_bytes(), now - path.stat().st_mtime
        except FileNotFoundError:
            return True
        if age < _STALE_S and not _is_dead(content):
            return False
        aside = path.with_name(f'.{path.name}.{secrets.token_hex(4)}')
        try:
            path.rename(aside)
        except FileNotFoundError:
            return True
        if aside.read_bytes() != content:  # another process was quicker, and this is its lease
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink()
        return True


def _identity(pid: int) -> dict[str, Any]:
    """A process, and the place within which its number means something."""
    boot, space, start = '', '', ''
    with contextlib.suppress(OSError, IndexError):
        boot = Path('/proc/sys/kernel/random/boot_id').read_text().strip()
        space = str(Path('/proc/self/ns/pid').readlink())
        # The name, in parentheses, may hold spaces.
        start = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]
    return dict(host=socket.gethostname(), boot=boot, space=space, pid=pid, start=start)


def _is_dead(content: bytes) -> bool:
    """Whether the holder ran on this host since it was started, and does not any more."""
    try:
        holder = json.loads(content)
        here = _identity(holder['pid'])
    except (ValueError, KeyError, TypeError):
        return False  # torn: it becomes stale
    if any(holder.get(key) != here[key] for key in ('host', 'boot', 'space')):
        return False
    try:
        os.kill(holder['pid'], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return holder.get('start') != here['start']
