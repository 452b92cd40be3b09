import pytest
import torch
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader, load_checkpoint
from safetensors.torch import save_file
from torch import nn

from lcvision.errors import UserError
from lcvision.weights.checkpoint_scheme import load_from_safetensors, register


class Net(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.backbone = nn.Linear(3, 4)


@pytest.fixture
def saved(tmp_path):
    net = Net()
    # mmengine would execute meta['config'] of a checkpoint it resumes.
    save_file(net.state_dict(), tmp_path / 'net.safetensors', metadata=dict(config='raise SystemExit'))
    return tmp_path / 'net.safetensors', net


def test_load_checkpoint(saved):
    path, net = saved
    other = Net()
    checkpoint = load_checkpoint(other, str(path), map_location='cpu')
    assert torch.equal(other.backbone.weight, net.backbone.weight)
    assert 'config' not in checkpoint['meta']


@pytest.mark.parametrize('prefix', [None, 'backbone'])
def test_pretrained_initialisation(saved, prefix):
    path, net = saved
    init_cfg = dict(type='Pretrained', checkpoint=str(path), **(dict(prefix=prefix) if prefix else {}))
    if prefix:
        module = nn.Module()
        other = BaseModule(init_cfg=init_cfg)
        other.weight, other.bias = nn.Parameter(torch.zeros(4, 3)), nn.Parameter(torch.zeros(4))
        module.backbone = other
    else:
        module = other = Net(init_cfg)
    other.init_weights()
    assert torch.equal(module.backbone.weight, net.backbone.weight)


@pytest.mark.parametrize(('name', 'loader'), [
    ('a/b.safetensors', 'load_from_safetensors'), ('/x y/b.safetensors', 'load_from_safetensors'),
    ('a/b.safetensors.pth', 'load_from_local'), ('a.pth', 'load_from_local'),
    ('https://host/b.safetensors', 'load_from_http'), ('s3://bucket/b.safetensors', 'load_from_ceph'),
    ('torchvision://resnet50', 'load_from_torchvision')])
def test_only_local_safetensors_are_taken(name, loader):
    register()
    assert CheckpointLoader._get_checkpoint_loader(name).__name__ == loader


def test_torn_and_missing_file(saved):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UserError, match='interrupted'):
        load_from_safetensors(str(path))
    with pytest.raises(UserError, match='no weights file'):
        CheckpointLoader.load_checkpoint('absent.safetensors')
