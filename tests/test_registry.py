import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import lcvision
from mmengine.registry import init_default_scope
init_default_scope({scope!r})
from {scope}.registry import MODELS
import torch
model = MODELS.build(dict(type='lcvision.PPLCNet', scale=0.25)).eval()
with torch.no_grad():
    maps = model(torch.zeros(1, 3, 64, 64))
assert [m.shape[1] for m in maps] == list(model.out_channels), [m.shape for m in maps]
assert [64 // m.shape[2] for m in maps] == list(model.out_strides), [m.shape for m in maps]
print(type(model).__module__)
"""


@pytest.mark.parametrize('scope', ['mmdet', 'mmseg', 'mmpretrain'])
def test_backbone_builds_from_a_plain_config(scope):
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', PROGRAM.format(scope=scope)], capture_output=True,
                          text=True, cwd=Path(__file__).parents[1], timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == 'lcvision.models.backbones.pplcnet'
