"""Images one after the other, out of a folder, a video or anything iterable."""
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lcvision.datasets.image_folder import EXTENSIONS
from lcvision.errors import UserError

VIDEO_EXTENSIONS = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg')


@dataclass(frozen=True)
class Frame:
    """One image of a source.

    Args:
        name: Path below the folder, or stem of the video and number of the frame from 1, or the number alone.
        image: BGR uint8, shape (H, W, 3).
    """

    name: str
    image: np.ndarray


def open_source(source: Any, read: Callable[[Any], np.ndarray], progress: bool) -> Iterator[Frame]:
    """Opens a folder, video, image or iterable of images; what is wrong with it is told before the first frame.

    Args:
        source: See ``Predictor.stream``.
        read: Makes an array of a path, bytes or an array.
        progress: Whether a bar is drawn, on a terminal only.

    Raises:
        UserError: It is missing, holds no image, or is no video that can be read.
    """
    frames: Iterator[Frame]
    total: int | None
    if not isinstance(source, (str, Path)):
        total = len(source) if isinstance(source, Sized) else None
        frames = (Frame(_name(item, number), read(item)) for number, item in enumerate(source, 1))
        return _with_bar(frames, 'images', total) if progress else frames
    path = Path(source).expanduser()
    if path.is_dir():
        paths = image_files(path)
        frames, total = (Frame(one.relative_to(path).as_posix(), read(one)) for one in paths), len(paths)
    elif path.suffix.lower() in VIDEO_EXTENSIONS and path.is_file():
        video = _open_video(path)
        # Some containers do not say, or say something negative.
        total = max(int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0) or None
        frames = _video_frames(path, video)
    elif path.is_file():
        return iter([Frame(path.name, read(path))])
    else:
        raise UserError(f'there is no {path}: give an image, a folder of images ({", ".join(EXTENSIONS)}) or a video '
                        f'({", ".join(VIDEO_EXTENSIONS)})')
    return _with_bar(frames, path.name, total) if progress else frames


def image_files(folder: Path) -> list[Path]:
    """Image files in a folder and below, by name, without hidden ones.

    Raises:
        UserError: There is none.
    """
    paths = sorted(path for path in folder.rglob('*') if path.suffix.lower() in EXTENSIONS and path.is_file()
                   and not any(part.startswith('.') for part in path.relative_to(folder).parts))
    if not paths:
        raise UserError(f'{folder} holds no image ({", ".join(EXTENSIONS)}): give a folder with some, or a video file')
    return paths


def _open_video(path: Path) -> cv2.VideoCapture:
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise UserError(f'{path} is no video that this OpenCV can read: convert it to H.264 in .mp4, or extract its '
                        'frames into a folder')
    return video


def _video_frames(path: Path, video: cv2.VideoCapture) -> Iterator[Frame]:
    try:
        number = 0
        while True:
            there, image = video.read()
            if not there:
                break
            number += 1
            yield Frame(f'{path.stem}_{number:06d}', image)
    finally:
        video.release()
    if not number:
        raise UserError(f'{path} holds no frame that can be decoded: its download may have been interrupted')


def _name(item: object, number: int) -> str:
    return Path(item).name if isinstance(item, (str, Path)) else f'{number:06d}'


def _with_bar(frames: Iterable[Frame], what: str, total: int | None) -> Iterator[Frame]:
    if not sys.stderr.isatty():
        yield from frames
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    with Progress(TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                  console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        for frame in frames:
            yield frame
            bar.advance(task)
