import logging
import warnings

import pytest
import torch

from lcvision.deploy.onnx_export import export_onnx
from tests.latency.small_net import small_net


def test_graph_is_fused_and_exported_quietly(capfd):
    onnx = pytest.importorskip('onnx')
    pytest.importorskip('onnxscript')
    logging.getLogger('torch.onnx').setLevel(logging.INFO)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter('error')
            graph = onnx.load_from_string(export_onnx(small_net(), torch.randn(1, 3, 32, 48))).graph
        assert logging.getLogger('torch.onnx').level == logging.INFO
    finally:
        logging.getLogger('torch.onnx').setLevel(logging.NOTSET)
    operators = [node.op_type for node in graph.node]
    assert operators.count('Conv') == 3 and 'BatchNormalization' not in operators
    assert [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim] == [1, 3, 32, 48]
    assert len(graph.output) == 2
    assert capfd.readouterr() == ('', '')
