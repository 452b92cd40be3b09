"""From the outputs of an exported file to results in the original image, by its metadata alone."""
from collections.abc import Mapping
from typing import Any

import numpy as np

from lcvision.inference.results import Classification, Detections, LabelMap, Result
from lcvision.inference.runtime.preparation import PreparedImage


def finish(outputs: Mapping[str, np.ndarray], metadata: Mapping[str, Any], image: PreparedImage,
           index: int = 0) -> Result:
    """The result of one image.

    Args:
        outputs: Of a file with the graph 'end2end'.
        metadata: Of the file.
        image: What went in.
        index: Of the image in the batch.
    """
    if metadata['task'] == 'segmentation':
        return LabelMap(outputs['labels'][index, :image.shape[0], :image.shape[1]].copy())
    scores, labels = outputs['scores'][index].copy(), outputs['labels'][index].copy()
    if metadata['task'] == 'classification':
        label = int(labels[0])
        return Classification(label, metadata['names'][label], labels, scores)
    count = int(outputs['count'][index])
    boxes = outputs['boxes'][index, :count]
    if metadata['clip']:
        height, width = image.shape
        boxes = boxes.clip(0, np.array((width, height, width, height), np.float32))
    return Detections(boxes / np.array(image.scale * 2, np.float32), scores[:count], labels[:count])
