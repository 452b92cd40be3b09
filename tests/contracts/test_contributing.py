"""The recipes of CONTRIBUTING.md do what they say."""
import re
import types
from pathlib import Path

import pytest
from mmengine.config import Config

from lcvision.deploy.network import build_model
from lcvision.registry import MODELS
from tests.contracts import test_backbone_contract as contract

ROOT = Path(__file__).parents[2]
BACKBONE, CONFIG = re.findall(r'```python\n(.*?)```', (ROOT / 'CONTRIBUTING.md').read_text(), re.S)


@pytest.fixture
def plainnet(monkeypatch):
    """The backbone of the recipe, registered for one test."""
    monkeypatch.setattr(MODELS, '_module_dict', dict(MODELS.module_dict))
    exec(BACKBONE, types.ModuleType('plainnet').__dict__)
    return lambda **more: MODELS.build({'type': 'lcvision.PlainNet', 'width': 8, **more})


def test_the_backbone_keeps_the_contract(plainnet):
    contract.test_outputs_are_as_declared(plainnet, (65, 97))
    contract.test_every_subset_of_outputs_is_that_part_of_all(plainnet)
    contract.test_gradients_reach_every_parameter(plainnet, (0, 2))


def test_the_config_builds_with_it(plainnet, tmp_path):
    path = ROOT / 'configs' / 'detection' / 'picodet_pplcnet_1x.py'
    own = tmp_path / 'picodet_plainnet.py'
    own.write_text(CONFIG.replace('./picodet_pplcnet_1x.py', str(path)))
    model = build_model(Config.fromfile(own), calibrated=False)
    assert type(model.backbone).__name__ == 'PlainNet' and model.backbone.out_channels == (64, 128, 256)
