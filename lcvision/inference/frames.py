"""Images one after the other, from a folder, a video or any iterable."""
import sys
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lcvision.errors import UserError
from lcvision.image_file import EXTENSIONS
from lcvision.progress import progress as log_progress

VIDEO_EXTENSIONS = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg')
# Containers may count frames that are never shown.
_FRAMES_OFF = 2


@dataclass(frozen=True)
class Frame:
    """One image of a source.

    Attributes:
        name: Path below the folder, or stem of the video and number of the frame from 1, or the number alone.
        image: BGR uint8, shape (H, W, 3).
    """

    name: str
    image: np.ndarray


def open_source(source: Any, progress: bool) -> Iterator[tuple[str, Any]]:
    """Names and images of a source for ``Predictor.stream``, which explains the arguments; no image file is read yet.

    A video that ends early has as its last image the error that says so. What is missing, holds no image,
    or is no video that can be read is a UserError before the first image.
    """
    total: int | None
    frames: Iterable[tuple[str, Any]]
    if not isinstance(source, (str, Path)):
        what, total = 'images', len(source) if isinstance(source, Sized) else None
        frames = ((Path(item).name if isinstance(item, (str, Path)) else f'{number:06d}', item)
                  for number, item in enumerate(source, 1))
    elif (path := Path(source).expanduser()).is_dir():
        paths = _image_files(path)
        what, total = path.name, len(paths)
        frames = ((one.relative_to(path).as_posix(), one) for one in paths)
    elif not path.is_file():
        raise UserError(f'there is no {path}: give an image, a folder of images ({", ".join(EXTENSIONS)}) or a video '
                        f'({", ".join(VIDEO_EXTENSIONS)})')
    elif path.suffix.lower() in VIDEO_EXTENSIONS:
        video = cv2.VideoCapture(str(path))
        if not video.isOpened():
            raise UserError(f'{path} is no video that this OpenCV can read: convert it to H.264 in .mp4, or extract '
                            'its frames into a folder')
        # Some containers give no number, or a negative one.
        what, total = path.name, max(int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0) or None
        frames = _video_frames(path, video, total or 0)
    else:
        return iter([(path.name, path)])
    return _shown(frames, what, total) if progress else iter(frames)


def _image_files(folder: Path) -> list[Path]:
    """Image files in a folder and below, by name, without hidden ones."""
    paths = sorted(path for path in folder.rglob('*') if path.suffix.lower() in EXTENSIONS and path.is_file()
                   and not any(part.startswith('.') for part in path.relative_to(folder).parts))
    if not paths:
        raise UserError(f'{folder} holds no image ({", ".join(EXTENSIONS)}): give a folder with some, or a video file')
    return paths


def _video_frames(path: Path, video: cv2.VideoCapture, total: int) -> Iterator[tuple[str, np.ndarray | UserError]]:
    number, reached, rate = 0, 0., video.get(cv2.CAP_PROP_FPS)
    try:
        while (read := video.read())[0]:
            number += 1
            # Where the rate varies, the header's number is an estimate, and the time counts.
            reached = max(number, video.get(cv2.CAP_PROP_POS_MSEC) / 1e3 * rate)
            yield f'{path.stem}_{number:06d}', read[1]
    finally:
        video.release()
    if not number:
        raise UserError(f'{path} holds no frame that can be decoded: its download may have been interrupted')
    if reached < total - _FRAMES_OFF:
        yield path.name, UserError(f'{path} stops after {number} of the {total} frames that its header announces: its '
                                   'download or recording may have been interrupted')


def _shown(frames: Iterable[tuple[str, Any]], what: str, total: int | None) -> Iterator[tuple[str, Any]]:
    """Shows the progress: a bar on a terminal, elsewhere a line of the log now and then."""
    if not sys.stderr.isatty() or find_spec('rich') is None:
        yield from log_progress(frames, what, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    with Progress(TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                  console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(frames, total=total, description=what)
