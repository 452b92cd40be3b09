"""Compares boxes by hotcoco, from arrays to arrays; as a program, from standard input to standard output."""
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

# The process that has hotcoco's threads.
_owner: int | None = None


def compare(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Precision and recall of found boxes.

    A process that is forked after a comparison lacks the threads that hotcoco keeps, and would wait for them forever:
    there, a new process compares.

    Args:
        arrays: Numbers of ``images`` and ``classes``, both counted from 0; the wanted boxes ``truth`` (image, class,
            area, whether a crowd, x, y, width, height); the ``found`` ones (image, x, y, width, height, score, class);
            ``max_dets`` and ``iou_thrs`` as COCO's parameters.

    Shapes:
        precision (IoU, recall, class, size, number of boxes), recall the same without its second axis
    """
    global _owner
    if _owner in (None, os.getpid()):
        _owner = os.getpid()
        return _compare(arrays)
    answer = subprocess.run([sys.executable, __file__], input=_pack(arrays), stdout=subprocess.PIPE, check=True)
    return _unpack(answer.stdout)


def _compare(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    from hotcoco import COCO, COCOeval  # comes with mmdet's extra, which the metric must ask for first

    wanted = arrays['truth']
    truth = COCO.from_arrays(
        [dict(id=number, width=0, height=0, file_name='') for number in range(int(arrays['images']))],
        [dict(id=number, name=str(number)) for number in range(int(arrays['classes']))],
        wanted[:, 0].astype(int), wanted[:, 1].astype(int), wanted[:, 4:].copy(), area=wanted[:, 2].copy(),
        iscrowd=wanted[:, 3].astype(int))
    comparison = COCOeval(truth, truth.load_res(arrays['found']), 'bbox')
    comparison.params.max_dets = arrays['max_dets'].tolist()
    comparison.params.iou_thrs = arrays['iou_thrs'].tolist()
    comparison.evaluate()
    comparison.accumulate()
    found: Any = comparison.eval
    return {name: found[name] for name in ('precision', 'recall')}


def _pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _unpack(content: bytes) -> dict[str, np.ndarray]:
    return dict(np.load(io.BytesIO(content)))


if __name__ == '__main__':
    sys.stdout.buffer.write(_pack(_compare(_unpack(sys.stdin.buffer.read()))))
