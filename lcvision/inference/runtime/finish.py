"""From the outputs of an exported file to results in the original image, by its metadata alone."""
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from lcvision.class_nms import class_nms
from lcvision.errors import UserError
from lcvision.inference.results import Classification, Detections, LabelMap, Result
from lcvision.inference.runtime.preparation import PreparedImage

# Rows of a label map that are upsampled at a time.
_ROWS = 64
Outputs = Mapping[str, np.ndarray]


def finish(outputs: Outputs, metadata: Mapping[str, Any], image: PreparedImage, index: int = 0,
           top_k: int = 5) -> Result:
    """The result of one image, in arrays of its own.

    Args:
        outputs: Of the file, of any of its graphs.
        metadata: Of the file.
        image: What went in.
        index: Of the image in the batch.
        top_k: Classes that a classification names.

    Raises:
        UserError: The graph is 'net', of a head that is not known here.
    """
    raw = metadata['graph'] == 'net'
    if metadata['task'] == 'segmentation':
        labels = _argmax(outputs['logits'][index], image, metadata) if raw else outputs['labels'][index]
        return _label_map(labels[:image.shape[0], :image.shape[1]], image)
    if metadata['task'] == 'classification':
        if raw:
            scores = _softmax(outputs['logits'][index], 0)
            labels = np.argsort(-scores, kind='stable')[:top_k]
            scores = scores[labels]
        else:
            scores, labels = outputs['scores'][index, :top_k].copy(), outputs['labels'][index, :top_k].copy()
        label = int(labels[0])
        return Classification(label, metadata['names'][label], labels, scores)
    if metadata['graph'] == 'end2end':
        count = int(outputs['count'][index])
        boxes, scores, labels = (outputs[name][index, :count].copy() for name in ('boxes', 'scores', 'labels'))
        return Detections(_placed(boxes, metadata, image), scores, labels)
    if 'thresholds' not in metadata:
        raise UserError('this file holds raw maps of a head whose boxes only its own code can make: export it with '
                        '--graph end2end, or run it by a runtime of your own')
    boxes, scores = (decode_cells(outputs, metadata['strides'], index) if raw
                     else (outputs['boxes'][index], outputs['scores'][index]))
    sizes = ([outputs[f'cls_{stride}'].shape[2:] for stride in metadata['strides']] if raw else
             [[-(-side // stride) for side in metadata['input']['size']] for stride in metadata['strides']])
    return select_cells(_placed(boxes, metadata, image), scores, [rows * columns for rows, columns in sizes],
                        metadata['thresholds'])


def _placed(boxes: np.ndarray, metadata: Mapping[str, Any], image: PreparedImage) -> np.ndarray:
    """Boxes (n, 4) in pixels of the input as boxes in those of the original image."""
    if metadata['clip']:
        height, width = image.shape
        boxes = boxes.clip(0, np.array((width, height, width, height), np.float32))
    return boxes / np.array(image.scale * 2, np.float32)


def decode_cells(outputs: Outputs, strides: list[int], index: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (P, 4) in pixels of the input and scores (P, C) of all cells of one image, from PicoDet's raw maps."""
    boxes, scores = [], []
    for stride in strides:
        classes, sides = outputs[f'cls_{stride}'][index], outputs[f'reg_{stride}'][index]
        rows, columns = classes.shape[1:]
        score = _sigmoid(classes.reshape(len(classes), -1))
        if f'align_{stride}' in outputs:
            alignment = _sigmoid(outputs[f'align_{stride}'][index].reshape(1, -1))
            score = np.sqrt(score * alignment + np.float32(1e-9))
        shares = _softmax(sides.reshape(4, -1, rows * columns), 1)
        reach = np.einsum('sbp,b->sp', shares, np.arange(shares.shape[1], dtype=np.float32)) * stride
        y, x = (np.indices((rows, columns), np.float32).reshape(2, -1) + np.float32(.5)) * stride
        boxes.append(np.stack((x - reach[0], y - reach[1], x + reach[2], y + reach[3]), 1))
        scores.append(score.T)
    return np.concatenate(boxes), np.concatenate(scores)


def select_cells(boxes: np.ndarray, scores: np.ndarray, cells: Sequence[int], rules: Mapping[str, Any]) -> Detections:
    """Those of one image that stay.

    Args:
        boxes: (P, 4) of all cells, in pixels of the original image.
        scores: (P, C) of all cells.
        cells: How many each level has.
        rules: ``thresholds`` of the metadata.
    """
    best, start = scores.max(1), 0
    passing = best > rules['score_thr']
    for end in np.cumsum(cells).tolist():
        if 0 <= rules['nms_pre'] < passing[start:end].sum():
            passing[start + np.argsort(-best[start:end], kind='stable')[rules['nms_pre']:]] = False
        start = end
    cell, label = ((scores > rules['score_thr']) & passing[:, None]).nonzero()
    kept = class_nms(boxes[cell], scores[cell, label], label, rules['iou_threshold'], rules['nms_top_k'],
                     rules['max_per_img'])
    cell, label = cell[kept], label[kept]
    return Detections(boxes[cell], scores[cell, label], label)


def _label_map(labels: np.ndarray, image: PreparedImage) -> LabelMap:
    """In the size of the original image."""
    if image.shape != image.original:
        return LabelMap(cv2.resize(labels, image.original[::-1], interpolation=cv2.INTER_NEAREST))
    return LabelMap(labels.copy())


def _argmax(logits: np.ndarray, image: PreparedImage, metadata: Mapping[str, Any]) -> np.ndarray:
    """Best class of every pixel of the input, from logits (C, h, w)."""
    size = image.x.shape[1:3] if metadata['input']['layout'] == 'NHWC' else image.x.shape[2:]
    rows, columns = (_bilinear(before, after, metadata['align_corners']) for before, after in
                     zip(logits.shape[1:], size))
    kind = np.uint8 if len(logits) <= 256 else np.int16
    return np.concatenate([(rows[start:start + _ROWS] @ logits @ columns.T).argmax(0).astype(kind)
                           for start in range(0, len(rows), _ROWS)])


def _bilinear(before: int, after: int, align_corners: bool) -> np.ndarray:
    """Weights (after, before) of resizing one axis as torch does."""
    if align_corners:
        places = np.linspace(0, before - 1, after, dtype=np.float32)
    else:
        places = ((np.arange(after, dtype=np.float32) + .5) * (before / after) - .5).clip(0, before - 1)
    low = np.floor(places).astype(int)
    weights, lines = np.zeros((after, before), np.float32), np.arange(after)
    weights[lines, low] = 1 - (places - low)
    weights[lines, np.minimum(low + 1, before - 1)] += places - low
    return weights


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x.clip(-80, None)))


def _softmax(x: np.ndarray, axis: int) -> np.ndarray:
    shares = np.exp(x - x.max(axis, keepdims=True))
    return shares / shares.sum(axis, keepdims=True)
