"""A network as an ONNX graph, for the runtimes that read one."""
import contextlib
import logging
import warnings
from collections.abc import Iterator

import torch
from torch import nn

from lcvision.deploy.fuse import fuse_network


def export_onnx(network: nn.Module, example: torch.Tensor) -> bytes:
    """Exports the fused network for exactly this input.

    Args:
        network: In eval mode and float32; it stays as it is.
        example: (1, 3, H, W) input.

    Returns:
        The serialised graph with its weights, one input and the flat outputs in order.

    Raises:
        Exception: Whatever the exporter does not support.
    """
    # Tensors made in inference mode, as fused weights would be, cannot be traced.
    with torch.inference_mode(False), torch.no_grad(), _silence():
        x = example.clone(memory_format=torch.contiguous_format)
        program = torch.onnx.export(fuse_network(network, x), (x,), dynamo=True, verbose=False)
        if program is None:
            raise RuntimeError('the exporter returned no graph')
        return program.model_proto.SerializeToString()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ('torch.onnx', 'torch.export', 'onnxscript', 'onnx_ir')]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
