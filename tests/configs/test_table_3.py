"""The baselines of the PP-LCNet paper's table 3 against their printed parameters and FLOPs."""
from pathlib import Path

import pytest
from mmengine.config import Config

from lcvision.cli.get_flops import count_config

CONFIGS = Path(__file__).parents[2] / 'configs' / 'classification'
# Millions of parameters and operations: as the paper prints them, then as PaddleClas lists the same models. The list
# counts the running statistics of norms as parameters.
TABLE_3 = {
    'mobilenetv1_1x': (4.3, 578, 4.25, 578.88),
    'mobilenetv2_0_25x': (1.5, 34, 1.53, 34.18),
    'mobilenetv2_0_5x': (2.0, 99, 1.98, 99.48),
    'mobilenetv2_1x': (3.5, 327, 3.54, 327.84),
    'mobilenetv3_small_0_35x': (1.7, 15, 1.67, 14.56),
    'mobilenetv3_large_0_35x': (2.1, 41, 2.11, 40.90),
    'mobilenetv3_small_1_25x': (3.6, 100, 3.64, 100.07),
    'shufflenetv2_0_33x': (0.6, 24, 0.65, 24.04),
    'shufflenetv2_0_5x': (1.4, 43, 1.37, 42.58),
    'shufflenetv2_1_5x': (3.5, 301, 3.53, 301.35),
}
# Three numbers of the paper are cut and not rounded.
CUT = {('mobilenetv1_1x', 578), ('mobilenetv2_1x', 327), ('shufflenetv2_0_33x', 0.6)}


def as_printed(name, value, printed):
    digits = 0 if isinstance(printed, int) else 1
    return int(value * 10 ** digits) / 10 ** digits if (name, printed) in CUT else round(value, digits)


@pytest.mark.parametrize('name', TABLE_3)
def test_counts_are_those_of_the_table_and_of_paddleclas(name):
    params, flops, listed_params, listed_flops = TABLE_3[name]
    counts = count_config(str(CONFIGS / f'{name}.py'))
    assert counts['input'] == [224, 224]
    own_params, own_flops = (counts['params'] + counts['buffers']) / 1e6, counts['paddle_flops'] / 1e6
    assert (as_printed(name, own_params, params), as_printed(name, own_flops, flops)) == (params, flops)
    assert (round(own_params, 2), round(own_flops, 2)) == (listed_params, listed_flops)


def test_cifar_baseline_differs_from_pplcnet_in_the_network_alone():
    ours, theirs = (Config.fromfile(CONFIGS / f'{name}_cifar10.py') for name in ('mobilenetv2_0_5x', 'pplcnet_0_5x'))
    assert ours.model.backbone.strides == theirs.model.backbone.strides
    assert ours.model.head.loss == theirs.model.head.loss and ours.model.head.dropout == theirs.model.head.dropout
    assert {key: value for key, value in ours.items() if key != 'model'} == {
        key: value for key, value in theirs.items() if key != 'model'}
