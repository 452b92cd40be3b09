import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from lcvision.engine.hooks.compatible_checkpoint_hook import CompatibleCheckpointHook
from lcvision.errors import UserError


class Net(BaseModel):
    def __init__(self, classes=3, width=4):
        super().__init__()
        self.backbone = nn.Linear(2, width)
        self.head = nn.Sequential(nn.Linear(width, classes))

    def forward(self, inputs, labels=None, mode='tensor'):
        out = self.head(self.backbone(torch.stack(inputs)))
        return dict(loss=out.sum() * 0) if mode == 'loss' else [out]


def runner(work_dir, model, **kwargs):
    data = dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=[dict(inputs=torch.ones(2), labels=0)] * 2)
    return Runner(model, str(work_dir), train_dataloader=data, train_cfg=dict(by_epoch=True, max_epochs=1),
                  optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)), default_hooks=dict(checkpoint=None),
                  custom_hooks=[dict(type=CompatibleCheckpointHook), dict(type='EMAHook')],
                  experiment_name=f'{work_dir}-{id(model)}', **kwargs)


@pytest.fixture
def trained(tmp_path):
    net = Net()
    state = {f'module.{name}': value for name, value in net.state_dict().items()}
    torch.save(dict(meta={}, state_dict=state), tmp_path / 'net.pth')
    return str(tmp_path / 'net.pth'), net


def test_own_checkpoint(tmp_path, trained):
    path, net = trained
    run = runner(tmp_path, Net(), load_from=path)
    run.train()
    assert torch.equal(run.model.head[0].weight, net.head[0].weight)


def test_another_number_of_classes_is_logged_once(tmp_path, trained, capfd):
    path, net = trained
    model = Net(classes=7)
    initial = model.head[0].weight.clone()
    run = runner(tmp_path, model, load_from=path)
    run.train()
    assert torch.equal(model.backbone.weight, net.backbone.weight)
    assert torch.equal(model.head[0].weight, initial)
    said = capfd.readouterr().out
    assert said.count('another number of classes: head.0.weight, head.0.bias are trained from '
                      'scratch, the other 2 tensors') == 1
    assert 'size mismatch' not in said


def test_another_model_stops_the_run(tmp_path, trained):
    path, _ = trained
    with pytest.raises(UserError, match='another model'):
        runner(tmp_path, Net(width=5), load_from=path).train()
