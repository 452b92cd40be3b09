"""What a runtime must know beside the graph, as plain JSON inside the file."""
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lcvision import environment
from lcvision.config import class_name, config_name
from lcvision.deploy.export.detection import clips, thresholds
from lcvision.deploy.export.file_metadata import KEY, SCHEMA
from lcvision.deploy.export.graph import DIVISOR, ExportGraph
from lcvision.deploy.input_size import evaluation_pipelines
from lcvision.errors import UserError
from lcvision.tasks import DETECTION, task_of

# How runtimes read images.
_READER = {'color_type': 'color', 'imdecode_backend': 'cv2', 'to_float32': False}
_PACKAGES = ('lcvision', 'torch', 'onnx', 'onnxscript')


def describe(graph: ExportGraph, model: Any, config: Config, classes: Sequence[str], normalisation: Any,
             metric: dict[str, Any] | None) -> dict[str, Any]:
    """All that is known of a graph; the same for the same config, weights and versions.

    Args:
        graph: Its layout, kind and outputs are described.
        model: That it was made of.
        config: A whole config.
        classes: Names of the classes.
        normalisation: Of the model's data preprocessor.
        metric: ``name``, ``value`` and ``data`` of the model itself; None where it was not evaluated.
    """
    layout, task = graph.layout, task_of(model)
    versions = environment.versions()
    found: dict[str, Any] = {
        'schema': SCHEMA, 'task': task.name, 'graph': graph.kind, 'precision': graph.precision,
        'names': list(classes),
        'input': {
            'name': 'images', 'layout': 'NHWC' if layout.uint8 else 'NCHW',
            'dtype': 'uint8' if layout.uint8 else 'float32', 'size': list(layout.size), 'dynamic': layout.dynamic,
            'divisor': DIVISOR if layout.dynamic == 'size' else normalisation.divisor,
            'colour': 'RGB' if normalisation.swap else 'BGR', 'mean': _values(normalisation.mean),
            'std': _values(normalisation.std), 'normalised_inside': layout.uint8,
            'pad_value': normalisation.pad_value, 'steps': image_steps(config)},
        'outputs': graph.outputs, 'maps': graph.maps,
        'opset': next(one.version for one in graph.model.opset_import if one.domain == ''),
        'config': Path(config_name(config)).stem, 'config_sha256': _config_hash(config),
        'weights_sha256': environment.weights_hash(graph.network), 'licence': 'Apache-2.0',
        'versions': {name: versions.get(name) or environment.version_of(name) for name in _PACKAGES}, 'metric': metric}
    if task is DETECTION and hasattr(model.bbox_head, 'strides') and clips(model.bbox_head) is not None:
        head: Any = model.bbox_head
        found |= {'strides': list(head.strides), 'thresholds': thresholds(head), 'clip': clips(head)}
    elif task.name == 'segmentation':
        found['align_corners'] = bool(model.decode_head.align_corners)
    return found


def flat(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The metadata as texts: all as one JSON value, and four keys that other tools read."""
    names = {str(index): name for index, name in enumerate(metadata['names'])}
    values = {KEY: metadata, 'names': names, 'imgsz': metadata['input']['size'],
              'stride': max(metadata.get('strides') or [DIVISOR]), 'task': metadata['task']}
    return {key: value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
            for key, value in values.items()}


def image_steps(config: Config) -> list[dict[str, Any]]:
    """The geometry of a test pipeline, one entry a step, sizes as height and width.

    Raises:
        UserError: A step cannot be described.
    """
    steps = []
    for step in next(evaluation_pipelines(config), []):
        name = class_name(step)
        if name.startswith(('Load', 'Pack')):
            other = next((key for key, plain in _READER.items() if step.get(key, plain) != plain), None)
            if other:
                raise UserError(f'{config.filename}: its test pipeline reads images with {other}={step[other]!r}, '
                                'which a file cannot describe: leave it out')
            continue
        way = dict(interpolation=step.get('interpolation', 'bilinear'), backend=step.get('backend', 'cv2'))
        if name == 'Resize' and step.get('scale'):
            steps.append(dict(op='resize', size=_size(step['scale']), keep_ratio=bool(step.get('keep_ratio')), **way))
        elif name == 'ResizeEdge':
            steps.append(dict(op='resize_edge', edge=step.get('edge', 'short'), size=int(step['scale']), **way))
        elif name == 'CenterCrop' and not step.get('auto_pad'):
            steps.append(dict(op='center_crop', size=_size(step['crop_size'])))
        elif name == 'EfficientNetCenterCrop':
            way['interpolation'] = step.get('interpolation', 'bicubic')
            steps.append(dict(op='efficientnet_crop', size=int(step['crop_size']),
                              padding=int(step.get('crop_padding', 32)), **way))
        else:
            raise UserError(f'{config.filename}: its test pipeline has {name}, which a file cannot describe: resize by '
                            'Resize, ResizeEdge, CenterCrop or EfficientNetCenterCrop')
    return steps


def _size(value: Any) -> list[int]:
    width, height = (value, value) if isinstance(value, int) else value
    return [int(height), int(width)]


def _values(values: Any) -> list[float] | None:
    return None if values is None else [float(value) for value in values.flatten()]


def _config_hash(config: Config) -> str:
    parts = {key: config.get(key) for key in ('model', 'data_preprocessor', 'test_pipeline', 'test_dataloader')}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
