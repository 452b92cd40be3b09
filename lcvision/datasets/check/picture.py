"""A picture of labelled samples."""
from pathlib import Path

import cv2
import numpy as np
from mmengine import fileio

from lcvision.datasets.check.layouts import Found
from lcvision.image_file import decode_pixels
from lcvision.visualization import SegmentationPainter, SegmentationScene, Style, contact_sheet, tile_sizes
from lcvision.visualization.detection import LabelLayer, draw_box, pixel_corners

_COUNT, _STYLE = 9, Style(font=14, line=2, dash=4)


def draw_samples(found: Found) -> np.ndarray:
    """Images spread evenly over the first split that has any, with what is annotated, BGR uint8, shape (H, W, 3)."""
    part, whole = next((part, whole) for part in found.parts if (
        whole := [index for index, seen in enumerate(part.seen) if not seen.fault and not seen.mask_fault]))
    count = min(_COUNT, len(whole))
    chosen = [whole[len(whole) * place // count] for place in range(count)]
    painter = SegmentationPainter({'classes': part.classes})
    tiles, seen_labels = [], set()
    for index, size in zip(chosen, tile_sizes([part.seen[index].size[::-1] for index in chosen])):
        path = part.images[index]
        pixels = decode_pixels(fileio.get(path))
        image = np.full((*size, 3), 128, np.uint8) if pixels is None else cv2.resize(
            pixels, size[::-1], interpolation=cv2.INTER_AREA)
        rows = part.rows[part.rows[:, 0] == index]
        title = Path(path).name
        if found.task == 'segmentation':
            labels = found.codings[part.name].read(part.masks[index]).astype(np.int16)
            labels[labels >= len(part.classes)] = -1
            painter.paint(image, SegmentationScene(labels, labels), _STYLE)
        elif found.task == 'classification':
            title = part.classes[int(rows[0, 1])]
        scale = np.array(size[::-1] * 2) / (part.seen[index].size * 2)
        layer = LabelLayer(image, _STYLE)
        for box, label in zip(rows[:, 2:6], rows[:, 1].astype(int)) if found.task == 'detection' else ():
            corners = pixel_corners(np.array([*box[:2], *(box[:2] + box[2:])]) * scale, image.shape)
            draw_box(image, corners, painter.colour(label), _STYLE.line)
            layer.add(corners, (painter.name(label),), painter.colour(label))
        seen_labels |= set(rows[:, 1].astype(int)) if found.task != 'classification' else set()
        tiles.append((title, image))
    legend = [(painter.name(label), painter.colour(label)) for label in sorted(seen_labels)]
    return contact_sheet(tiles, legend, f'{len(tiles)} of {len(part.images)} images of {part.name}, as annotated')
