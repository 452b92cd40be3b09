"""A network as an ONNX graph, for the runtimes that read one."""
import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from lcvision.deploy.fuse import fuse_network


def export_onnx(network: nn.Module, example: torch.Tensor, dynamic_shapes: Any = None) -> bytes:
    """Exports a float32 network in eval mode, fused, with one input and the flat outputs in order.

    The graph is for exactly this (N, 3, H, W) input or, with the ``dynamic_shapes`` of ``torch.export.export``, for
    others of such a shape. What the exporter does not support raises an exception of its own.
    """
    # Tensors made in inference mode, as fused weights would be, cannot be traced.
    with torch.inference_mode(False), torch.no_grad(), _silence():
        x = example.clone(memory_format=torch.contiguous_format)
        fused = fuse_network(network, x)
        for module in fused.modules():
            if getattr(module, 'inplace', False):  # which the exporter traces several times as slowly
                module.inplace = False  # type: ignore[assignment]
        program = torch.onnx.export(fused, (x,), dynamo=True, verbose=False, dynamic_shapes=dynamic_shapes)
        if program is None:
            raise RuntimeError('the exporter returned no graph')
        return program.model_proto.SerializeToString()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with contextlib.ExitStack() as after, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for logger in map(logging.getLogger, ('torch.onnx', 'torch.export', 'onnxscript', 'onnx_ir')):
            after.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        yield
