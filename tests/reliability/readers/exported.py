"""Exported files, spoiled."""
import json
import random
from functools import partial
from pathlib import Path

import numpy as np

from lcvision.inference.runtime.file_backend import FileBackend
from tests.inference.runtime import tiny_files
from tests.reliability.fuzz import Case, spoil_bytes, spoil_tree

_THRESHOLDS = dict(score_thr=.1, nms_pre=100, iou_threshold=.5, nms_top_k=10, max_per_img=10)


class Exported:
    """Files with metadata, up to a prediction."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._image = np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)

    def case(self, rng: random.Random) -> Case:
        path = self.folder / rng.choice(('x.onnx', 'x.onnx', 'x.xml', 'x.pt2'))
        task, graph = rng.choice(tiny_files.TASKS), rng.random() < .3
        content = tiny_files.metadata(task)
        content.update(rng.choice(({}, dict(thresholds=_THRESHOLDS, palette=[[1, 2, 3]] * 3), dict(graph='boxes'),
                                   dict(graph='net'), dict(int8=dict(flags=['avx2'])))))
        if not graph:
            content = spoil_tree(rng, json.loads(json.dumps(content)))
        if path.suffix == '.pt2':
            import zipfile
            with zipfile.ZipFile(path, 'w') as archive:
                archive.writestr('model/extra/lcvision.json', json.dumps(content))
                archive.writestr('model/data/aotinductor/model/x.so', b'\x7fELF')
            if graph:
                path.write_bytes(spoil_bytes(rng, path.read_bytes()))
        else:
            try:
                tiny_files.write(path, task, content)
            except (UnicodeEncodeError, ValueError, TypeError):
                tiny_files.write(path, task, {})
            part = path.with_suffix('.bin') if path.suffix == '.xml' and rng.random() < .2 else path
            if graph and part.is_file():
                part.write_bytes(spoil_bytes(rng, part.read_bytes()))
        return partial(self._read, path, rng.choice(('best', 'openvino')) if path.suffix == '.onnx' else 'best')

    def _read(self, path: Path, engine: str) -> None:
        backend = FileBackend(path, engine, 1, None, 5, False)
        assert path.suffix != '.pt2', 'a .pt2 was opened without consent'
        backend.predict(self._image)
