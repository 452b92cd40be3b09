"""Exported files of a few nodes, whose results follow from the image by looking at it."""
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
helper, FLOAT, INT64 = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
NAMES = ('blue', 'green', 'red')
TASKS = ('detection', 'segmentation', 'classification')
# In pixels of an input of 32 x 32.
BOX = (4., 6., 16., 22.)


def metadata(task: str, /, **changes: Any) -> dict[str, Any]:
    """Of a file that takes images of any size, resized to 32 x 32 for a detector, in BGR without normalisation."""
    steps = [dict(op='resize', size=[32, 32], keep_ratio=False, interpolation='bilinear', backend='cv2')]
    rule = dict(name='images', layout='NCHW', dtype='float32', size=[32, 32], dynamic='size', divisor=1, colour='BGR',
                mean=None, std=None, normalised_inside=False, pad_value=0., steps=steps if task == 'detection' else [])
    found = dict(schema=1, task=task, graph='end2end', precision='fp32', names=list(NAMES), input=rule, maps=[],
                 outputs={}, clip=True, strides=[8], align_corners=False)
    for key, value in changes.items():
        found = {**found, 'input': {**rule, **value}} if key == 'input' else {**found, key: value}
    return found


def write(path: Path, task: str, content: dict[str, Any] | None = None, shape: tuple = (1, 3, None, None)) -> Path:
    """A detector finds BOX as the first class, with the mean of blue / 255 as its score; a segmentor the strongest
    colour of each pixel, a classifier those of the image."""
    make = {'detection': _detector, 'segmentation': _segmentor, 'classification': _classifier}[task]
    nodes, outputs, constants = make()
    sides = [name if side is None else side for name, side in zip('nchw', shape, strict=True)]
    graph = helper.make_graph(nodes, task, [helper.make_tensor_value_info('images', FLOAT, sides)],
                              [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs],
                              [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    model.metadata_props.add(key='lcvision', value=json.dumps(metadata(task) if content is None else content))
    if path.suffix == '.onnx':
        path.write_bytes(model.SerializeToString())
        return path
    openvino = pytest.importorskip('openvino')
    converted = openvino.Core().read_model(model.SerializeToString())
    converted.set_rt_info(model.metadata_props[0].value, ['lcvision'])
    openvino.save_model(converted, str(path), compress_to_fp16=False)
    return path


def _detector() -> tuple:
    constants = dict(boxes_=np.array([[BOX, (0, 0, 0, 0)]], np.float32), labels_=np.zeros((1, 2), np.int64),
                     count_=np.ones(1, np.int32), blue=np.array([1 / 255, 0, 0], np.float32).reshape(3, 1),
                     axes=np.array([2, 3]), none=np.zeros((1, 1), np.float32))
    nodes = [helper.make_node('ReduceMean', ['images', 'axes'], ['mean'], keepdims=0),
             helper.make_node('MatMul', ['mean', 'blue'], ['score']),
             helper.make_node('Concat', ['score', 'none'], ['scores'], axis=1)]
    nodes += [helper.make_node('Identity', [f'{name}_'], [name]) for name in ('boxes', 'labels', 'count')]
    return nodes, [('boxes', FLOAT), ('scores', FLOAT), ('labels', INT64), ('count', onnx.TensorProto.INT32)], constants


def _segmentor() -> tuple:
    nodes = [helper.make_node('ArgMax', ['images'], ['best'], axis=1, keepdims=0),
             helper.make_node('Cast', ['best'], ['labels'], to=onnx.TensorProto.UINT8)]
    return nodes, [('labels', onnx.TensorProto.UINT8)], {}


def _classifier() -> tuple:
    constants = dict(axes=np.array([2, 3]), two=np.array([2]), small=np.array(1e-2, np.float32))
    nodes = [helper.make_node('ReduceMean', ['images', 'axes'], ['mean'], keepdims=0),
             helper.make_node('Mul', ['mean', 'small'], ['logits']),
             helper.make_node('Softmax', ['logits'], ['shares'], axis=1),
             helper.make_node('TopK', ['shares', 'two'], ['scores', 'labels'], axis=1)]
    return nodes, [('scores', FLOAT), ('labels', INT64)], constants
