"""The quickest precision of each group of layers."""
from dataclasses import replace

import numpy as np
import pytest

from lcvision.deploy.export.formats import format_of
from lcvision.deploy.precision import lacking
from lcvision.deploy.sessions import compile_openvino, shared_core
from lcvision.exporting import job, mixed, quantisers
from lcvision.exporting.layers import layers_of
from lcvision.inference import Predictor
from tests.exporting.conftest import quantised
from tests.exporting.test_int8 import needs_nncf
from tests.inference.small_models import DETECTORS, images

STEM, FIXED = 'stem', ('stem', 'first depthwise', 'squeeze-and-excitation', 'prediction')


@pytest.fixture
def clock(monkeypatch):
    """Milliseconds that follow from a table of what a group saves in a precision, and from what pairs cost."""
    saved: dict = {}

    def times(self, *states):
        return np.array([10. - sum(saved.get(item, 0.) for item in state.items()) for state in states])
    monkeypatch.setattr(mixed._Search, 'times', times)
    monkeypatch.setattr(job, 'lacking', lambda number: None)
    return saved


def test_each_group_gets_what_is_quickest(detector, data, without_nncf, clock, tmp_path):
    clock |= {('neck dense at 1/8', 'int8'): 2., ('backbone dense at 1/16', 'int8'): 1., (STEM, 'bf16'): 1.,
              ('neck dense at 1/16', 'int8'): -9., (STEM, 'int8'): 5.}
    result = quantised(detector, tmp_path, precision='mixed', measure=False)
    assert [one.path.name.rsplit('_', 1)[1] for one in result.files] == ['fp32.xml', 'mixed.xml']
    chosen = {group.name: group.chosen for group in result.groups}
    assert chosen['neck dense at 1/8'] == chosen['backbone dense at 1/16'] == 'int8' and chosen[STEM] == 'bf16'
    assert chosen['neck dense at 1/16'] != 'int8' and 'int8' not in result.groups[0].ms
    path = result.files[-1].path
    metadata = format_of(path).read_metadata(path)
    assert metadata['precision'] == 'mixed-bf16' and metadata['mixed']['groups'] == chosen
    assert metadata['int8']['metric'] == .5
    row = next(group for group in result.groups if group.name == 'neck dense at 1/8')
    assert row.ms['int8'] == pytest.approx(min(row.ms.values())) and row.layers > 0


def test_where_one_precision_is_quickest_no_file_is_written(detector, data, without_nncf, clock, tmp_path):
    clock |= {(group, 'int8'): -1. for group in ('neck dense at 1/8', 'backbone dense at 1/16')}
    result = quantised(detector, tmp_path, precision='mixed', measure=False)
    assert result.notes[0].startswith('no mixture is quicker than ') and len(result.files) == 1
    assert not [path for path in tmp_path.iterdir() if 'mixed' in path.name] and not result.failures


@pytest.mark.skipif(bool(lacking('bf16')), reason='this CPU computes bfloat16 in float32')
def test_layers_stay_in_float32_where_the_rest_is_bfloat16(detector, data, without_nncf, clock, tmp_path):
    clock |= {('backbone dense at 1/16', 'fp32'): 5.} | {(STEM, 'bf16'): 6.}
    result = quantised(detector, tmp_path, precision='mixed', measure=False)
    path = result.files[-1].path
    model = compile_openvino(shared_core().read_model(str(path)), 'mixed-bf16', 1).get_runtime_model()
    numbers = {op.get_friendly_name(): op.get_rt_info()['runtimePrecision'].astype(str)
               for op in model.get_ordered_ops() if op.get_rt_info()['layerType'].astype(str) == 'Convolution'}
    assert set(numbers.values()) == {'f32', 'bf16'}
    assert len(Predictor(path, threads=1)(images(DETECTORS[0])[0]))


@needs_nncf
def test_a_real_mixture(detector, data, tmp_path, monkeypatch):
    def times(self, *states):
        assert all(self._run(state)() for state in states)
        return np.array([10. - sum(number == 'int8' for number in state.values()) for state in states])
    monkeypatch.setattr(mixed._Search, 'times', times)
    monkeypatch.setattr(quantisers, 'layers_of', lambda graph: [
        replace(layer, group=layer.group.split(' at ')[0]) for layer in layers_of(graph)])
    result = quantised(detector, tmp_path, precision='mixed', measure=False)
    assert not result.failures and result.files[-1].path.name.endswith('_mixed.xml')
    assert all((group.chosen == 'int8') == (group.name not in FIXED) for group in result.groups)
