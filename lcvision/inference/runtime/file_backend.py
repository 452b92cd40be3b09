"""An exported file behind a predictor."""
from pathlib import Path
from typing import Any

import numpy as np

from lcvision.allocator import keep_freed_memory
from lcvision.image_file import cv2_threads, decode_image, in_memory, read_image
from lcvision.inference.results import Result
from lcvision.inference.runtime.exported_file import open_exported, plain_errors
from lcvision.inference.runtime.finish import finish
from lcvision.inference.runtime.preparation import prepare_image


class FileBackend:
    """What a predictor of an exported file consists of; the arguments and errors are the predictor's."""

    def __init__(self, path: str | Path, engine: str, threads: int, precision: str | None, top_k: int,
                 trust_code: bool, hint: str = 'latency'):
        keep_freed_memory()
        self.file = open_exported(path, threads=threads, engine=engine, precision=precision, trust_code=trust_code,
                                  hint=hint)
        self.threads, self._top_k = threads, top_k
        self.workers = threads if hint == 'throughput' else 1
        metadata = self.file.metadata
        self.engine, self.task = self.file.engine, metadata['task']
        self.precision: str = precision or metadata['precision']
        self.dataset_meta: dict[str, Any] = {'classes': tuple(metadata['names'])}
        if metadata.get('palette'):
            self.dataset_meta['palette'] = metadata['palette']

    def decode(self, content: bytes) -> np.ndarray:
        """Decodes an image file held in memory."""
        return decode_image(in_memory(content), content)

    def read(self, path: str | Path) -> np.ndarray:
        """Reads an image file."""
        return read_image(path, decode_image)

    def prepare(self, size: tuple[int, int]) -> None:
        """Nothing: a file is prepared when it is opened."""

    def predict(self, image: np.ndarray) -> Result:
        """The result of a BGR uint8 image, shape (H, W, 3)."""
        if self.workers > 1:  # the threads of cv2, one number for the process, are the caller's affair
            return self._predict(image)
        with cv2_threads(self.threads):
            return self._predict(image)

    def _predict(self, image: np.ndarray) -> Result:
        metadata = self.file.metadata

        def result() -> Result:
            prepared = prepare_image(image, metadata['input'])
            return finish(self.file.run(prepared.x), metadata, prepared, top_k=self._top_k)
        return plain_errors(self.file.path, 'does not do what its metadata say', result)
