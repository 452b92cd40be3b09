"""The images of a tree of classes, listed once: for a large tree the list is remembered."""
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lcvision.datasets.layout import is_data
from lcvision.errors import UserError
from lcvision.files import cache_folder, write_atomically
from lcvision.image_file import EXTENSIONS

_SCHEMA = 1
# Smaller trees are listed in a second; a folder may change again within a tick of its clock; so many lists are kept.
_LARGE, _SETTLED_S, _KEPT = 100_000, 2, 8


def images_of_classes(folder: Path) -> dict[str, list[str]]:
    """The images in each folder of ``folder``, at any depth, as paths below that folder; all in order.

    Symbolic links are followed, hidden files left out. The list of a large tree is kept in ``lcvision/folders`` in
    XDG_CACHE_HOME or ``~/.cache``, and counts as long as no folder of the tree changes.
    """
    cache = cache_folder()
    path = cache and cache / 'folders' / f'{hashlib.sha256(os.path.realpath(folder).encode()).hexdigest()[:16]}.json'
    known = path and _remembered(folder, path)
    if known:
        return known
    stamps, start = {'': _stamp(folder)}, time.time_ns()
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    images = {name: sorted(_images(folder, name, (folder.resolve(),), stamps)) for name in names}
    if path and sum(map(len, images.values())) >= _LARGE and \
            max(map(max, stamps.values())) < start - _SETTLED_S * 10 ** 9:
        _remember(path, dict(schema=_SCHEMA, stamps=stamps, images=images))
    return images


def _images(root: Path, name: str, above: tuple[Path, ...], stamps: dict[str, list[int]], prefix: str = '') \
        -> Iterator[str]:
    """Images in the folder ``name`` below ``root``, behind ``prefix``."""
    folder, folders = root / name, []
    real = folder.resolve()
    if real in above:
        raise UserError(f'{folder} leads back to {real}, a folder that it lies in: remove this symbolic link')
    try:
        stamps[name] = _stamp(folder)
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_data(entry.path) if entry.is_symlink() else entry.is_file():
                    if not entry.name.startswith('.') and entry.name.lower().endswith(EXTENSIONS):
                        yield prefix + entry.name
                elif os.path.isdir(entry.path):  # noqa: PTH112
                    folders.append(entry.name)
    except OSError as error:
        raise UserError(f'the folder {folder} cannot be read ({error.strerror}): change its permissions or remove '
                        'it') from error
    for inner in folders:
        yield from _images(root, f'{name}/{inner}', (*above, real), stamps, f'{prefix}{inner}/')


def _stamp(folder: Path) -> list[int]:
    """What changes with the names in a folder."""
    status = folder.stat()
    return [status.st_mtime_ns, status.st_ctime_ns]


def _remembered(folder: Path, path: Path) -> dict[str, list[str]] | None:
    """The list of a tree in a file, unless it is another's, spoiled, or a folder has changed."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        content = json.loads(path.read_bytes())
        if content['schema'] == _SCHEMA and all(_stamp(folder / name) == stamp
                                                for name, stamp in content['stamps'].items()):
            return content['images']
    return None


def _remember(path: Path, content: dict) -> None:
    with suppress(OSError):  # the next start lists again
        write_atomically(path, json.dumps(content, separators=(',', ':')).encode())
        for old in sorted(path.parent.glob('*.json'), key=os.path.getmtime)[:-_KEPT]:
            old.unlink(missing_ok=True)
