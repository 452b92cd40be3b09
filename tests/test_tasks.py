"""The facts of a task against what the frameworks and the configs hold."""
from pathlib import Path

import pytest
from mmengine.config import Config
from torch import nn

from lcvision.errors import UserError
from lcvision.tasks import TASKS, task_of, task_of_config, task_of_metrics

FOLDERS = Path(__file__).parents[1] / 'configs'


@pytest.mark.parametrize('task', TASKS.values(), ids=TASKS)
def test_a_task_is_found_by_its_config_model_and_metrics(task):
    config = Config.fromfile(min((FOLDERS / task.name).glob('*.py')))
    assert task_of_config(config) is task and config.default_scope == task.scope and task.head in config.model
    model = nn.Module()
    model.backbone, model.neck = nn.Identity(), nn.Identity()
    setattr(model, task.head, nn.Identity())
    assert task_of(model) is task
    assert task_of_metrics({'time': 0.1, task.metric: 0.5}) is task
    assert config.default_hooks.checkpoint.save_best in ('auto', task.metric)


def test_other_things_have_no_task():
    with pytest.raises(UserError, match='Linear cannot be measured'):
        task_of(nn.Linear(1, 1))
    with pytest.raises(UserError, match=r"default_scope='mmrotate' .*'mmdet', 'mmseg', 'mmpretrain'"):
        task_of_config(Config(dict(default_scope='mmrotate')))
    assert task_of_metrics({'loss': 1.}) is None
