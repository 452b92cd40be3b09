"""A model whose network runs on an engine predicts what it predicts by itself."""
import copy
import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from lcvision.deploy import precision
from lcvision.deploy.network import build_model
from lcvision.engine.hooks.engine_hook import EngineHook
from lcvision.errors import UserError
from tests.deploy.test_network import CLASSIFIER, DETECTOR, SEGMENTOR

TASKS = {'mmdet': DETECTOR, 'mmseg': SEGMENTOR, 'mmpretrain': CLASSIFIER}


def runner_of(scope):
    config = Config(dict(default_scope=scope, model=copy.deepcopy(TASKS[scope]),
                         test_dataloader=dict(dataset=dict(pipeline=[dict(type='Resize', scale=(64, 64))]))))
    return SimpleNamespace(model=build_model(config), cfg=config, logger=logging.getLogger('engine'))


def outputs(runner, images):
    with torch.no_grad():
        result = runner.model(images, mode='tensor')
    return [result] if isinstance(result, torch.Tensor) else [y for level in result for y in level]


@pytest.mark.parametrize('scope', TASKS)
def test_a_batch_on_an_engine_gives_the_models_own_maps(scope):
    runner, hook = runner_of(scope), EngineHook()
    images = torch.randn(2, 3, 64, 64)
    before, parts = outputs(runner, images), dict(runner.model.named_children())
    hook.before_test_epoch(runner)
    parts['backbone'].register_forward_pre_hook(lambda *args: pytest.fail('the model ran its own backbone'))
    hook.before_test_iter(runner, 0)
    during = outputs(runner, images)
    again = outputs(runner, images.flip(0))
    hook.after_test_iter(runner, 0)
    assert len(before) == len(during)
    for a, b, c in zip(before, during, again, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(c, a.flip(0), rtol=1e-3, atol=1e-4)
        # Not the engine's own memory, and open to changes outside inference mode.
        b.add_(1)
    assert dict(runner.model.named_children()) == parts
    assert all('forward' not in vars(part) for part in parts.values())


@pytest.mark.skipif(precision.lacking('bf16') is not None, reason='this CPU has no bfloat16')
def test_bfloat16_is_close_and_not_equal():
    runner = runner_of('mmpretrain')
    images = torch.randn(1, 3, 64, 64)
    before = outputs(runner, images)[0]
    hook = EngineHook(precision='bf16')
    hook.before_test_epoch(runner)
    hook.before_test_iter(runner, 0)
    during = outputs(runner, images)[0]
    assert 0 < (during - before).abs().max() < 0.1 * before.abs().max()


def test_wrong_arguments():
    for arguments, reason in ((dict(engine='tensorrt'), "unknown engine 'tensorrt'"),
                              (dict(engine='all'), 'a network runs on one engine'),
                              (dict(engine='eager', precision='int4'), "precision 'int4'")):
        with pytest.raises(UserError, match=reason):
            EngineHook(**arguments)
