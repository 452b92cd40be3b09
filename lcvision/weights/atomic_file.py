"""Files that are either whole or not there."""
import os
from pathlib import Path


def write_atomically(path: str | Path, content: bytes) -> None:
    """Writes a file so that its name never stands for a half of it, not even after a kill or a power cut.

    Args:
        path: Target; what it held stays untouched until all of ``content`` is on the disk. A folder that is not there
            is made.
        content: Everything the file is to hold.

    Raises:
        OSError: The disk is full or the folder cannot be written; the target is as before.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A fixed name: what a kill leaves behind is overwritten by the next attempt and does not pile up.
    temporary = path.with_name(f'.{path.name}.tmp')
    try:
        with temporary.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == 'nt':  # Windows opens no folders; its rename is durable by itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
