"""A trained model as a function from images to results."""
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lcvision import environment
from lcvision.errors import UserError
from lcvision.image_file import cv2_threads
from lcvision.inference.frames import Frame, open_source
from lcvision.inference.in_order import in_order
from lcvision.inference.results import Detections, LabelMap, Result
from lcvision.inference.runtime.exported_file import ENGINES, is_exported
from lcvision.inference.runtime.file_backend import FileBackend

if TYPE_CHECKING:
    from mmengine.config import Config

Image = np.ndarray | str | Path | bytes
Skipped = Callable[[str, UserError], object]


class Predictor:
    """Finds objects, labels pixels or names classes, as ``lcvision test`` would on the same images.

    ::

        predictor = Predictor('configs/detection/picodet_pplcnet_1x.py', 'best.pth', engine='openvino')
        for box, score, label in zip(*vars(predictor('street.jpg')).values()):
            print(predictor.classes[label], score, box)
        predictor = Predictor('picodet_pplcnet_1x_end2end_fp32.onnx')  # without torch

    Besides the network there is little to do: one resize, one normalisation into memory that is reused, decoding of
    only those cells that pass the threshold. A network is prepared (compiled) for the size of its input: at once where
    the test pipeline resizes to one size, else when a size is first seen. A predictor belongs to one thread at a time.

    Args:
        config: Path or name of a config, or the config itself; its test pipeline says how images are prepared. Or an
            exported file, .onnx, .xml or .pt2, whose metadata say it: .onnx and .xml import numpy, cv2 and their
            runtime alone, neither torch nor a framework.
        checkpoint: .pth or .safetensors; read as data, nothing in it is executed. It may have another number of
            classes than the config, as after training with ``--data``. None for an exported file.
        engine: Name of an engine, see ``lcvision.deploy.engines``; 'best' is chosen by measuring. An .onnx file takes
            'onnxruntime', which is its best, or 'openvino'.
        threads: Threads of an operator; None takes as many as can run at once here.
        precision: 'fp32', or another that the engine has; None is 'fp32', or what an exported file computes in.
        top_k: Classes that a classification names; an exported file has five.
        hint: 'latency' for one image as fast as possible; 'throughput', for .onnx and .xml files, for many:
            :meth:`stream` then takes as many images at a time as there are threads, each on one.
        trust_code: Whether a .pt2 file may be loaded: it is machine code, which then runs.

    Raises:
        UserError: The config, checkpoint, file, engine, number of threads or precision is none that works here.
    """

    def __init__(self, config: 'str | Path | Config', checkpoint: str | Path | None = None, engine: str = 'best',
                 threads: int | None = None, precision: str | None = None, top_k: int = 5, trust_code: bool = False,
                 hint: str = 'latency'):
        self.threads = environment.usable_threads() if threads is None else threads
        environment.check_threads([self.threads])
        self._backend: Any
        if is_exported(config):
            if checkpoint is not None:
                raise UserError(f'{config} is an exported file, which has its weights: leave out the checkpoint')
            self._backend = FileBackend(str(config), engine, self.threads, precision, top_k, trust_code, hint)
        elif hint != 'latency':
            raise UserError(f'hint {hint!r} is for exported files (.onnx, .xml): export the model, or leave it out')
        elif checkpoint is None:
            raise UserError(f'{config} without a checkpoint: give a config with its checkpoint, or an exported file '
                            f'({", ".join(ENGINES)}) alone')
        else:
            # Here, since exported files need neither torch nor a framework.
            from lcvision.inference.pipeline import TrainedBackend
            self._backend = TrainedBackend(config, checkpoint, engine, self.threads, precision or 'fp32', top_k)
        self.task: str = self._backend.task
        self.precision: str = self._backend.precision
        self.classes: tuple[str, ...] = self._backend.dataset_meta['classes']

    def prepare(self, size: tuple[int, int]) -> None:
        """Prepares the network for inputs of this height and width, which otherwise happens at their first image.

        Raises:
            UserError: The engine cannot run this network.
        """
        self._backend.prepare(size)

    def __call__(self, image: Image | Iterable[Image]) -> Result | list[Result]:
        """Predicts one image or several.

        Args:
            image: A BGR uint8 array of shape (H, W, 3), a path, or an encoded image as bytes; or several of these, as
                any iterable or as an array of shape (N, H, W, 3).

        Returns:
            :class:`Detections`, :class:`LabelMap` or :class:`Classification`, in pixels of the image as given; of
            several images a list.

        Raises:
            UserError: An image is missing, torn or not of this kind.
        """
        if isinstance(image, (str, Path, bytes)) or (isinstance(image, np.ndarray) and image.ndim != 4):
            return self._backend.predict(self.read(image))
        return [self._backend.predict(self.read(one)) for one in image]

    def read(self, image: Image) -> np.ndarray:
        """The image as a BGR uint8 array, shape (H, W, 3), upright as its EXIF says; see :meth:`__call__`."""
        if isinstance(image, bytes):
            return self._backend.decode(image)
        if isinstance(image, (str, Path)):
            return self._backend.read(image)
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 \
                or not image.size:
            given = f'{image.dtype} of shape {image.shape}' if isinstance(image, np.ndarray) else type(image).__name__
            raise UserError(f'an image is a uint8 array of shape (H, W, 3) in BGR, a path, or bytes of an image file; '
                            f'got {given}')
        return image

    def stream(self, source: str | Path | Iterable[Image], progress: bool = True,
               skipped: Skipped | None = None) -> Iterator[tuple[Frame, Result]]:
        """Predicts the images of a folder, the frames of a video, or any images, one after the other.

        Args:
            source: A folder (images in it and below, by name), a video file, an image file, or an iterable of images.
            progress: Whether the progress is shown: a bar on a terminal, elsewhere a line of the log now and then.
            skipped: Called with the name of each image that cannot be read and the reason, and likewise for a video
                that ends early; None raises the reason.

        Returns:
            Each frame, its name and pixels, with its result, in the order of the source; they are read and predicted on
            demand, with the hint 'throughput' at most three for each thread ahead of it.

        Raises:
            UserError: The source is missing or holds no image, or, without ``skipped``, an image cannot be read.
        """
        return self._stream(open_source(source, progress), skipped)

    def _stream(self, images: Iterable[tuple[str, Any]], skipped: Skipped | None) -> Iterator[tuple[Frame, Result]]:
        def work(named: tuple[str, Any]) -> tuple[Any, Result | UserError]:
            name, image = named
            try:
                if isinstance(image, UserError):
                    raise image
                frame = Frame(name, self.read(image))
            except UserError as error:
                return name, error
            return frame, self._backend.predict(frame.image)

        with cv2_threads(1) if self.workers > 1 else nullcontext():
            for first, second in in_order(work, images, self.workers):
                if not isinstance(second, UserError):
                    yield first, second
                elif skipped:
                    skipped(first, second)
                else:
                    raise second

    @property
    def workers(self) -> int:
        """Images that :meth:`stream` has in work at a time."""
        return self._backend.workers

    def draw(self, image: Image, result: Result, score_thr: float = 0.3) -> np.ndarray:
        """A picture of a result.

        Args:
            image: What was predicted; an array is not changed.
            result: Of this image.
            score_thr: Objects below are not drawn, 0..1.

        Returns:
            BGR uint8: of a label map with a legend below, and of a small image enlarged to have room for letters.
        """
        from lcvision import visualization
        pixels = self.read(image).copy()
        if isinstance(result, Detections):
            shown = result.above(score_thr)
            boxes = visualization.DetectionScene(pixels.shape[:2], shown.boxes, shown.labels, shown.scores,
                                                 np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
            return visualization.DetectionPainter(self._backend.dataset_meta).paint(pixels, boxes)
        if isinstance(result, LabelMap):
            labels = visualization.SegmentationScene(result.labels.astype(np.int16), None)
            return visualization.SegmentationPainter(self._backend.dataset_meta).paint(pixels, labels)
        best = visualization.ClassificationScene(result.label, float(result.scores[0]), ())
        return visualization.ClassificationPainter(self._backend.dataset_meta).paint(pixels, best)

    @property
    def engine(self) -> str:
        """The engine, or those that 'best' chose for the sizes met so far."""
        return self._backend.engine
