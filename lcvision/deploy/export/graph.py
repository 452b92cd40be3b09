"""A model as an ONNX graph: its raw maps, its boxes, or all that follows."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import nn

from lcvision.deploy.export.detection import Decoder, check_head, select, thresholds
from lcvision.deploy.export.nodes import Nodes
from lcvision.deploy.network import RawNetwork, example_input
from lcvision.deploy.onnx_export import export_onnx
from lcvision.errors import UserError
from lcvision.tasks import CLASSIFICATION, DETECTION, SEGMENTATION, task_of

GRAPHS = ('net', 'boxes', 'end2end')
INPUT = 'images'
TOP_K = 5
# Sizes of a dynamic graph are multiples of this, which every stride of a network divides.
DIVISOR = 32
_TYPES = {'float32': TensorProto.FLOAT, 'uint8': TensorProto.UINT8, 'int64': TensorProto.INT64,
          'int32': TensorProto.INT32}


@dataclass
class Layout:
    """What goes into a graph.

    Attributes:
        size: Height and width.
        uint8: Whether images come as bytes (N, H, W, 3), else normalised as (N, 3, H, W).
        mean: Of each channel; None where nothing is subtracted.
        std: Likewise.
        dynamic: 'batch' or 'size' where that may differ from image to image.
    """

    size: tuple[int, int]
    uint8: bool = False
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    dynamic: str | None = None


@dataclass
class ExportGraph:
    """A graph and what it was made of.

    Attributes:
        model: The graph; its metadata are still to be written.
        kind: 'net', 'boxes' or 'end2end'.
        layout: Of its input.
        maps: Names of the raw maps, also where they are no outputs.
        outputs: Meaning of each output.
        layers: Modules of the network that end in a tensor, in the order in which they run, with its name.
        network: What was exported.
        precision: That it is computed in.
        metadata: All that a runtime needs, as plain values.
        converted: A quantised graph in the place of ``model``, as the format has it; None elsewhere.
        exact: Layers, by the names of their nodes, that stay in float32 where the rest is bfloat16.
    """

    model: onnx.ModelProto
    kind: str
    layout: Layout
    maps: list[str]
    outputs: dict[str, str]
    layers: list[tuple[str, str]]
    network: RawNetwork
    precision: str = 'fp32'
    metadata: dict[str, Any] | None = None
    converted: Any = None
    exact: frozenset[str] = frozenset()


def check_graph(model: Any, kind: str, dynamic: str | None) -> None:
    """Refuses a graph that cannot be made, before anything is computed.

    Raises:
        UserError: Says which one can.
    """
    task = task_of(model)
    if kind not in GRAPHS:
        raise UserError(f"there is no graph {kind!r}: give one of {', '.join(GRAPHS)}")
    if dynamic not in (None, 'batch', 'size'):
        raise UserError(f"--dynamic {dynamic} is neither 'batch' nor 'size': give one of them, or leave it out")
    if kind == 'boxes' and task is not DETECTION:
        raise UserError(f"graph 'boxes' is for detectors, and this is {task.name}: take net or end2end")
    if kind == 'boxes' and dynamic:
        raise UserError(f"graph 'boxes' has one size and batch, which is what its runtimes need: leave out --dynamic "
                        f'{dynamic}, or take net or end2end')
    if task is CLASSIFICATION and dynamic == 'size':
        raise UserError('a classifier is exported at its own size: take --dynamic batch, or leave it out')
    if kind != 'net' and task is DETECTION:
        check_head(model.bbox_head, kind)
    if kind != 'net' and task is SEGMENTATION:
        if getattr(model, 'argmax', 'exact') == 'coarse':
            raise UserError("graph 'end2end' upsamples logits, and this model's test_cfg.argmax is 'coarse': take "
                            '--graph net')
        if model.decode_head.out_channels > 256:
            raise UserError(f"graph 'end2end' gives labels as uint8, and this model has "
                            f'{model.decode_head.out_channels} classes: take --graph net')


def make_graph(model: nn.Module, network: RawNetwork, kind: str, layout: Layout) -> ExportGraph:
    """Exports a network and adds what the graph has around it.

    Args:
        model: That the network was taken from.
        network: In eval mode, float32.
        kind: One that :func:`check_graph` lets pass.
        layout: Of the input.

    Raises:
        UserError: The exporter does not support the network.
    """
    task = task_of(model)
    images = 2 if layout.dynamic == 'batch' else 1
    example = example_input(layout.size).repeat(images, 1, 1, 1)
    try:
        exported = onnx.load_from_string(export_onnx(network, example, _dynamic_shapes(layout)))
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f'{type(model).__name__} cannot be exported to ONNX: {reason}') from error
    graph = exported.graph
    channels = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    maps = _rename(graph, _map_names(model, len(graph.output)))
    layers = _layers(graph)
    _strip(exported)
    batch: Any = _dim(graph, 0) if layout.dynamic == 'batch' else 1
    sides: list = [_dim(graph, 2), _dim(graph, 3)] if layout.dynamic == 'size' else list(layout.size)
    if layout.uint8:
        _add_front(graph, layout, [batch, *sides, 3])
    if kind != 'net':
        _add_tail(Nodes(graph), model, kind, maps, layout, channels)
        outputs = _outputs(model, kind, batch, sides, channels)
        del graph.output[:]
        graph.output.extend(helper.make_tensor_value_info(name, _TYPES[dtype], shape)
                            for name, (dtype, shape, _) in outputs.items())
        meanings = {name: meaning for name, (_, _, meaning) in outputs.items()}
    else:
        meanings = dict.fromkeys(maps, f'raw map of the {task.head}')
    graph.name = f'{task.name}_{kind}'
    onnx.checker.check_model(exported, full_check=True)
    return ExportGraph(exported, kind, layout, maps, meanings, layers, network)


def _dynamic_shapes(layout: Layout) -> tuple[dict] | None:
    if layout.dynamic == 'batch':
        return ({0: torch.export.Dim('batch', min=1, max=1024)},)
    if layout.dynamic == 'size':
        height, width = (torch.export.Dim(name, min=2, max=256) for name in ('rows', 'columns'))
        return ({2: DIVISOR * height, 3: DIVISOR * width},)
    return None


def _map_names(model: Any, count: int) -> list[str]:
    if task_of(model) is not DETECTION:
        return ['logits'] if count == 1 else [f'logits_{index}' for index in range(count)]
    strides = [stride if isinstance(stride, int) else stride[0] for stride in
               getattr(model.bbox_head, 'strides', None) or model.bbox_head.prior_generator.strides]
    kinds = ['cls', 'reg', 'align', *(f'map{number}' for number in range(4, 9))]
    return [f'{kind}_{stride}' for kind in kinds[:-(-count // len(strides))] for stride in strides][:count]


def _rename(graph: onnx.GraphProto, outputs: list[str]) -> list[str]:
    """Gives input and outputs their names; returns the outputs'."""
    names = {graph.input[0].name: INPUT, **{old.name: new for old, new in zip(graph.output, outputs, strict=True)}}
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
    for node in graph.node:
        for side in (node.input, node.output):
            for place, name in enumerate(side):
                side[place] = names.get(name, name)
    return outputs


def _layers(graph: onnx.GraphProto) -> list[tuple[str, str]]:
    """The last tensor of each module, from what the exporter notes of every node."""
    found: dict[str, str] = {}
    for node in graph.node:
        noted = {entry.key: entry.value for entry in node.metadata_props}.get('pkg.torch.onnx.name_scopes', '')
        # The last of its scopes is the operator; a module ends where the last of its parts does.
        for scope in [part.strip(" '\"[]") for part in noted.split(',')][-2::-1]:
            if scope:
                found.pop(scope, None)
                found[scope] = node.output[0]
    return list(found.items())


def _strip(model: onnx.ModelProto) -> None:
    """Takes out what the exporter notes for itself: file names of this machine, and types that are not checked."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *model.functions):
        del part.metadata_props[:]
        part.doc_string = ''
    del graph.value_info[:]
    model.producer_name, model.producer_version = 'lcvision', ''


def _dim(graph: onnx.GraphProto, axis: int) -> str:
    dim = graph.input[0].type.tensor_type.shape.dim[axis]
    return dim.dim_param or str(dim.dim_value)


def _add_front(graph: onnx.GraphProto, layout: Layout, shape: list) -> None:
    """Bytes of images in front of the network, normalised as the data preprocessor does."""
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == INPUT:
                node.input[place] = 'normalised'
    front = onnx.GraphProto()
    nodes = Nodes(front, 'front', graph)
    x = nodes('Cast', nodes('Transpose', INPUT, perm=[0, 3, 1, 2]), to=TensorProto.FLOAT)
    for kind, values in (('Sub', layout.mean), ('Div', layout.std)):
        if values is not None:
            x = nodes(kind, x, np.array(values, np.float32).reshape(3, 1, 1))
    nodes('Identity', x, name='normalised')
    for place, node in enumerate(front.node):
        graph.node.insert(place, node)
    graph.input[0].CopyFrom(helper.make_tensor_value_info(INPUT, TensorProto.UINT8, shape))


def _add_tail(nodes: Nodes, model: Any, kind: str, maps: list[str], layout: Layout, channels: int) -> None:
    task = task_of(model)
    dynamic = nodes('Shape', INPUT) if layout.dynamic else ''
    sides = None
    if layout.dynamic == 'size':
        sides = nodes('Gather', dynamic, [1, 2] if layout.uint8 else [2, 3])
    if task is DETECTION:
        decoder = Decoder(nodes, model.bbox_head, maps, layout.size, sides)
        levels, boxes = decoder.level_scores(), decoder.boxes()
        if kind == 'boxes':
            nodes('Transpose', nodes('Concat', *levels, axis=2), perm=[0, 2, 1], name='scores')
            nodes('Identity', boxes, name='boxes')
        else:
            images = nodes('Gather', dynamic, 0) if layout.dynamic == 'batch' else 1
            select(nodes, boxes, levels, thresholds(model.bbox_head), decoder.cells, images)
    elif task is SEGMENTATION:
        logits = nodes('Resize', maps[0], '', '', sides or list(layout.size), axes=[2, 3], mode='linear',
                       coordinate_transformation_mode='align_corners' if model.decode_head.align_corners
                       else 'half_pixel')
        nodes('Cast', nodes('ArgMax', logits, axis=1, keepdims=0), to=TensorProto.UINT8, name='labels')
    else:
        scores, labels = nodes.several('TopK', 2, nodes('Softmax', maps[0], axis=1), [min(TOP_K, channels)],
                                       axis=1)
        nodes('Identity', scores, name='scores')
        nodes('Identity', labels, name='labels')


def _outputs(model: Any, kind: str, batch: Any, sides: list, channels: int) -> dict[str, tuple[str, list, str]]:
    """Type, shape and meaning of each output."""
    task = task_of(model)
    if task is SEGMENTATION:
        return {'labels': ('uint8', [batch, *sides], 'class of each pixel of the input')}
    if task is CLASSIFICATION:
        count = min(TOP_K, channels)
        return {'scores': ('float32', [batch, count], f'scores 0..1 of the {count} best classes, best first'),
                'labels': ('int64', [batch, count], 'these classes')}
    places = 'x1, y1, x2, y2 in pixels of the input'
    if kind == 'boxes':
        head = model.bbox_head
        cells = sum(-(-sides[0] // stride) * -(-sides[1] // stride) for stride in head.strides)
        return {'boxes': ('float32', [batch, cells, 4], f'{places}, one a cell, nothing suppressed'),
                'scores': ('float32', [batch, cells, head.num_classes], 'score 0..1 of each class')}
    most = thresholds(model.bbox_head)['max_per_img']
    return {'boxes': ('float32', [batch, most, 4], f'{places}, best first, zeros behind the last'),
            'scores': ('float32', [batch, most], '0..1, 0 behind the last'),
            'labels': ('int64', [batch, most], 'class of each box'),
            'count': ('int32', [batch], 'number of boxes')}
