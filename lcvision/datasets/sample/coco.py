"""COCO annotations from pixel masks."""
from typing import Any

import cv2
import numpy as np

_ZOOM = 4


def _fill_outline(mask: np.ndarray) -> np.ndarray:
    """The mask without its holes and without specks of fewer than 9 pixels."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    for outline in outlines:
        part = np.zeros(mask.shape, np.uint8)
        cv2.drawContours(part, [outline], -1, 1, -1)
        if part.sum() >= 9:
            filled |= part
    return filled


def mask_to_polygons(mask: np.ndarray) -> list[list[float]]:
    """Outlines of a mask without holes, as COCO's flat lists x0, y0, x1, y1, ... in pixels.

    Args:
        mask: uint8 or bool, (height, width).
    """
    # Zoomed in, the contour of pixel centres comes within an eighth of a pixel of the true pixel edges.
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    window = mask[y:y + height, x:x + width].astype(np.uint8)
    zoomed = cv2.resize(window, None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(zoomed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    polygons = []
    for outline in outlines:
        corners = cv2.approxPolyDP(outline, 0.6 * _ZOOM, True).reshape(-1, 2)
        if len(corners) >= 3:
            polygons.append([round(float(value), 2) for value in ((corners + 0.5) / _ZOOM + (x, y)).ravel()])
    return polygons


def mask_to_rle(mask: np.ndarray) -> dict[str, list[int]]:
    """Uncompressed run lengths of a mask, column by column and starting with zeros, as COCO keeps crowds.

    Args:
        mask: uint8 or bool, (height, width).
    """
    flat = np.concatenate([[0], mask.astype(np.uint8).ravel(order='F')])
    edges = np.concatenate([[0], np.flatnonzero(np.diff(flat)), [flat.size - 1]])
    return {'counts': np.diff(edges).tolist(), 'size': list(mask.shape)}


def annotate(mask: np.ndarray, category_id: int, crowd: bool) -> dict[str, Any]:
    """One entry of COCO's ``annotations``, short of its own id and its image's.

    Holes are filled, as by the annotators who drew COCO's polygons; box and area are those of the filled mask.

    Args:
        mask: Visible pixels, bool (height, width), not empty.
        category_id: COCO category id.
        crowd: Whether the mask is a region full of such objects.
    """
    filled = mask.astype(np.uint8) if crowd else _fill_outline(mask)
    return {
        'category_id': category_id,
        'iscrowd': int(crowd),
        'area': float(filled.sum()),
        'bbox': [float(value) for value in cv2.boundingRect(filled)],
        'segmentation': mask_to_rle(filled) if crowd else mask_to_polygons(filled),
    }
