import json

import pytest
import torch

from lcvision.cli.benchmark_cpu import main
from lcvision.errors import UserError

CONFIG = """default_scope = 'mmpretrain'
model = dict(type='ImageClassifier', backbone=dict(type='lcvision.PPLCNet', scale=0.25),
             neck=dict(type='GlobalAveragePooling'),
             head=dict(type='LinearClsHead', num_classes=7, in_channels=128))
test_dataloader = dict(dataset=dict(pipeline=[dict(type='Resize', scale=64)]))
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'lcnet_tiny.py'
    path.write_text(CONFIG)
    return str(path)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch without oneDNN')
def test_profile_is_printed_and_written(config, tmp_path, capfd):
    out = tmp_path / 'out.json'
    quick = ['--threads', '1', '--samples', '8', '--max-seconds', '1']
    assert main([config, '--profile', *quick, '--json', str(out)]) == 0
    printed = capfd.readouterr().out  # of oneDNN, too
    record, = json.loads(out.read_text())['results']
    rows = record['profile']['rows']
    assert record['engine'] == 'eager'
    assert {'backbone.stem.conv', 'head.fc'} <= {row['layer'] for row in rows}
    # Every multiply-add is on some row: all of the network's convolutions and its linear layer were seen.
    done_macs = sum(row['gflops'] * row['us'] * 500 for row in rows if row['gflops'] is not None)
    assert done_macs == pytest.approx(record['macs'], rel=0.05)
    assert 'lcnet_tiny, eager fp32, 1 thread(s), 64x64' in printed and 'outside kernels' in printed
    assert 'onednn_verbose' not in printed
    assert max(map(len, printed.splitlines())) <= 100
    assert sum('backbone.stem.conv' in line for line in printed.splitlines()) == sum(
        row['layer'] == 'backbone.stem.conv' for row in rows)


@pytest.mark.parametrize('arguments, message', [
    (['--engine', 'best'], "engine 'best' does not write: give --engine one or more of eager, inductor"),
    (['--scope', 'e2e'], 'not --scope e2e: leave --scope out'),
])
def test_what_cannot_be_profiled_is_one_sentence(config, arguments, message):
    with pytest.raises(UserError, match=message):
        main([config, '--profile', *arguments])
