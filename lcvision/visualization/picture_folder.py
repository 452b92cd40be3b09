"""Pictures in a folder that never replace anyone else's file."""
import os
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from lcvision.files import writing

_MARK = b'lcvision picture %08x'
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 92]


class PictureFolder:
    """Names and writes pictures.

    A picture carries a comment with its own checksum. An existing file is replaced only if it does so, too: then it was
    written here and is unchanged since. Otherwise the new picture gets a number in its name, as it does when two of one
    run would have the same name; names that differ only in capitals are the same on some systems.

    Args:
        folder: Made when a picture is written.
        source: File or folder that is being read, in which nothing is replaced; None for none.
    """

    def __init__(self, folder: Path, source: Path | None = None):
        self.folder = folder
        self._source = source.resolve() if source else None
        self._used: set[str] = set()

    def free_stem(self, stem: str, *names: str) -> str:
        """Reserves a stem, a path without an ending, with a number where one of the names is taken.

        ``names`` are the pictures as paths below the folder, with ``{}`` for the stem.
        """
        free, number = stem, 1
        while any(self._taken(name.format(free)) for name in names):
            number += 1
            free = f'{stem}_{number}'
        self._used.update(name.format(free).casefold() for name in names)
        return free

    def write(self, name: str, picture: np.ndarray) -> None:
        """Writes a picture, BGR uint8 or one channel of uint8 or uint16, under a free stem with .jpg or .png."""
        path = self.folder / name
        content = cv2.imencode(path.suffix, picture, _QUALITY if path.suffix == '.jpg' else [])[1].tobytes()
        try:
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_marked(content))
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise

    def _taken(self, name: str) -> bool:
        path = self.folder / name
        if name.casefold() in self._used:
            return True
        if not os.path.lexists(path):
            return False
        reading = self._source is not None and path.resolve().is_relative_to(self._source)
        return reading or not path.is_file() or not _is_ours(path.read_bytes())


def _place(content: bytes) -> int:
    """Where the comment is: after the start of a JPEG, after the header of a PNG."""
    return 2 if content.startswith(b'\xff\xd8') else 33


def _comment(content: bytes) -> bytes:
    """A JPEG's or PNG's comment on its content without a comment."""
    text = _MARK % zlib.crc32(content)
    if content.startswith(b'\xff\xd8'):
        return b'\xff\xfe' + (len(text) + 2).to_bytes(2, 'big') + text
    chunk = b'tEXtComment\0' + text
    return (len(chunk) - 4).to_bytes(4, 'big') + chunk + zlib.crc32(chunk).to_bytes(4, 'big')


def _marked(content: bytes) -> bytes:
    place = _place(content)
    return content[:place] + _comment(content) + content[place:]


def _is_ours(content: bytes) -> bool:
    place, length = _place(content), len(_comment(content))
    return content == _marked(content[:place] + content[place + length:])
