"""Exports to ONNX take seconds: what was made of a network is kept."""
from types import ModuleType

import pytest

from lcvision import environment
from lcvision.deploy.onnx_export import export_onnx


def remember_exports(patch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Lets modules that export get the same bytes for the same weights, shape of the input and dynamic shapes."""
    known: dict[tuple, bytes] = {}

    def remembered(network, example, dynamic_shapes=None):
        key = environment.weights_hash(network), tuple(example.shape), str(dynamic_shapes)
        if key not in known:
            known[key] = export_onnx(network, example, dynamic_shapes)
        return known[key]
    for module in modules:
        patch.setattr(module, 'export_onnx', remembered)
