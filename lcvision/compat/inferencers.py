"""Lets mmdet's and mmseg's inferencers find the steps of a pipeline that load.

Serves mmdet 3.3.0 and mmsegmentation 1.2.2. Their inferencers replace the step that loads the image, and mmseg's
leaves out the one that loads labels; they know both by the names of mmcv's classes alone and refuse a pipeline with a
subclass. Delete it when they look at classes.
"""
import importlib
from functools import wraps
from typing import Any

_KNOWN_AS = {'lcvision.LoadImage': 'LoadImageFromFile', 'lcvision.LoadAnyImage': 'LoadImageFromFile',
             'lcvision.LoadMask': 'LoadAnnotations'}


def teach_mmdet() -> None:
    """Teaches mmdet's inferencer the names."""
    _teach(importlib.import_module('mmdet.apis.det_inferencer').DetInferencer)


def teach_mmseg() -> None:
    """Teaches mmseg's inferencer the names."""
    _teach(importlib.import_module('mmseg.apis.mmseg_inferencer').MMSegInferencer)


def _teach(inferencer: Any) -> None:
    find = inferencer._get_transform_idx
    if hasattr(find, '__wrapped__'):
        return

    @wraps(find)
    def find_known(self: Any, pipeline: list[dict], name: Any) -> int:
        return find(self, [{**step, 'type': _KNOWN_AS.get(step['type'], step['type'])} for step in pipeline], name)

    inferencer._get_transform_idx = find_known
