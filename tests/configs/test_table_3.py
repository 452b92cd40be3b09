"""The baselines of the PP-LCNet paper's table 3 against PaddleClas' list; the paper's numbers are in tests/docs."""
from pathlib import Path

import pytest
from mmengine.config import Config

from lcvision.cli.get_flops import count_config

CONFIGS = Path(__file__).parents[2] / 'configs' / 'classification'
# Millions of parameters and operations as PaddleClas lists them, running statistics of norms counted as parameters.
LISTED = {
    'mobilenetv1_1x': (4.25, 578.88), 'mobilenetv2_0_25x': (1.53, 34.18), 'mobilenetv2_0_5x': (1.98, 99.48),
    'mobilenetv2_1x': (3.54, 327.84), 'mobilenetv3_small_0_35x': (1.67, 14.56),
    'mobilenetv3_large_0_35x': (2.11, 40.90), 'mobilenetv3_small_1_25x': (3.64, 100.07),
    'shufflenetv2_0_33x': (0.65, 24.04), 'shufflenetv2_0_5x': (1.37, 42.58), 'shufflenetv2_1_5x': (3.53, 301.35),
}


@pytest.mark.parametrize('name', LISTED)
def test_counts_are_those_of_paddleclas(name):
    counts = count_config(str(CONFIGS / f'{name}.py'))
    assert counts['input'] == [224, 224]
    params, flops = (counts['params'] + counts['buffers']) / 1e6, counts['paddle_flops'] / 1e6
    assert (round(params, 2), round(flops, 2)) == LISTED[name]


def test_cifar_baseline_differs_from_pplcnet_in_the_network_alone():
    ours, theirs = (Config.fromfile(CONFIGS / f'{name}_cifar10.py') for name in ('mobilenetv2_0_5x', 'pplcnet_0_5x'))
    assert ours.model.backbone.strides == theirs.model.backbone.strides
    assert ours.model.head.loss == theirs.model.head.loss and ours.model.head.dropout == theirs.model.head.dropout
    assert {key: value for key, value in ours.items() if key != 'model'} == {
        key: value for key, value in theirs.items() if key != 'model'}
