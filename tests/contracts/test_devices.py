"""Training, evaluation and hooks on a GPU, or, as CUDA would complain of it, on one that is pretended."""
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from lcvision.datasets.sources import use_source
from lcvision.deploy.engines import Prepared
from lcvision.deploy.network import build_model, example_input
from lcvision.engine.hooks.memory_format_hook import MemoryFormatHook
from lcvision.registry import MODELS, OPTIM_WRAPPERS
from tests.configs.test_configs import TASKS, drop_pretrained
from tests.contracts.test_backbone_contract import CASES
from tests.inference.small_models import OPTIONS, small_config
from tests.pretended_gpu import PretendedGPU

# What the models have that differs: head, assigner, loss, optimiser, way of labelling.
MODELS_OF = {
    'paper': ('detection/picodet_pplcnet_0_5x', {}),
    'legacy': ('detection/picodet_legacy_pplcnet_1x', {}),
    'v2_first': ('detection/picodet_v2_xs_320', {}),
    'v2_second': ('detection/picodet_v2_xs_320', {'model.train_cfg.initial_epoch': 0}),
    **{argmax: ('segmentation/deeplabv3plus_pplcnet_0_5x', {'model.test_cfg.argmax': argmax})
       for argmax in ('exact', 'coarse', 'dense')},
    'class_weights': ('segmentation/deeplabv3plus_pplcnet_0_5x', {
        'model.decode_head.loss_decode': dict(_delete_=True, type='lcvision.ClassWeightedCrossEntropy',
                                              class_weight=[1.] * 18 + [2.])}),
    'pplcnet': ('classification/pplcnet_0_5x', {}),
    'elite': ('classification/elite0', {}),
    'mobilenetv3': ('classification/mobilenetv3_small_0_35x', {}),
    'ssld': ('classification/pplcnet_0_5x_ssld', {}),
}


@pytest.fixture(params=['pretended', pytest.param('cuda', marks=pytest.mark.gpu)])
def gpu(request, monkeypatch):
    """Makes 'cuda' a device to send things to."""
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
    with PretendedGPU() if request.param == 'pretended' else nullcontext():
        yield request.param


def config_of(name, **changes):
    name, options = MODELS_OF[name]
    config = small_config(name) if name in OPTIONS else Config.fromfile(f'configs/{name}.py')
    config.merge_from_dict({**options, **changes})
    if 'head' in config.model:
        config.data_preprocessor.num_classes = config.model.head.num_classes
    drop_pretrained(config.model)
    return config


@torch.no_grad()
def predict(model, task, config):
    torch.manual_seed(1)
    samples = task.samples(config)
    results = model.eval().test_step(samples)
    for result in results:
        if config.default_scope == 'mmdet':
            yield result.pred_instances.scores[:5]
        else:
            yield result.pred_sem_seg.data.float() if config.default_scope == 'mmseg' else result.pred_score


def assert_close(actual, expected):
    """Close, but for one value in a hundred, such as labels of pixels where two classes tie."""
    assert actual.shape == expected.shape
    assert ((actual - expected).abs() < 1e-2).float().mean() >= 0.99


@pytest.mark.parametrize('case', CASES, ids=lambda case: f'{case[0]}-{next(iter(case[1].values()))}')
def test_backbones_give_the_same_maps(case, gpu):
    model, x = MODELS.build({'type': f'lcvision.{case[0]}', **case[1]}).eval(), torch.randn(2, 3, 64, 64)
    expected = model(x)
    for actual, wanted in zip(model.to('cuda')(x.to('cuda')), expected, strict=True):
        assert actual.device.type == 'cuda'
        assert (actual.cpu() - wanted).abs().max() <= 1e-3 * wanted.abs().max()


@pytest.mark.parametrize('name', MODELS_OF)
def test_models_train_and_predict(name, gpu):
    config = config_of(name)
    task = TASKS[config.default_scope]
    init_default_scope(config.default_scope)
    model = build_model(config)
    task.wake(model)
    expected = list(predict(model, task, config))
    model.to('cuda')
    assert all(value.device.type == 'cuda' for value in (*model.parameters(), *model.buffers()))
    for actual, wanted in zip(predict(model, task, config), expected, strict=True):
        assert actual.device.type == 'cuda' and len(actual)
        assert_close(actual.cpu(), wanted)
    optimizer = build_optim_wrapper(model, config.optim_wrapper)
    loss, _ = model.parse_losses(model(**model.train().data_preprocessor(task.samples(config), True), mode='loss'))
    assert loss.device.type == 'cuda' and loss.isfinite()
    optimizer.update_params(loss)
    assert all(value.device.type == 'cuda' and value.isfinite().all() for value in model.parameters())


def run_once(subject):
    """What a measurement runs many times; returns the device of what comes out."""
    with torch.inference_mode():
        output = subject.network(x := example_input(subject.input_size))[0]
        subject.end_to_end.bind(Prepared(subject.network, x, 0.), threads=1)()
    return output.device.type


@pytest.mark.parametrize('scope,name', [('mmdet', 'paper'), ('mmseg', 'exact'), ('mmpretrain', 'pplcnet')])
def test_runs_with_every_hook(scope, name, gpu, tmp_path, monkeypatch):
    measured, none = [], SimpleNamespace(records=[], failures=[])
    monkeypatch.setattr('mmengine.runner.runner.get_device', lambda: 'cuda')
    monkeypatch.setattr('lcvision.engine.hooks.cpu_latency_hook.run_benchmark',
                        lambda subjects, *_, **__: measured.append(run_once(*subjects)) or none)
    config = config_of(name)
    TASKS[scope].render(tmp_path / 'data')
    use_source(config, str(tmp_path / 'data'), train=True)
    for part in ('train', 'val', 'test'):
        config[f'{part}_dataloader'].update(num_workers=0, persistent_workers=False, batch_size=2)
    config.merge_from_dict(dict(
        work_dir=str(tmp_path), log_level='ERROR', load_from=None, param_scheduler=None,
        train_cfg=dict(_delete_=True, type='IterBasedTrainLoop', max_iters=2, val_interval=2),
        optim_wrapper=dict(type='lcvision.BF16OptimWrapper'),
        custom_hooks=[
            dict(type='lcvision.CycleEMAHook', cycle_epoch=None), dict(type='lcvision.MemoryFormatHook'),
            dict(type='lcvision.CPULatencyHook', scope='net,e2e'), dict(type='lcvision.EngineHook'),
            dict(type='lcvision.PictureHook', out_dir=str(tmp_path / 'pictures')),
            *([dict(type='lcvision.PositionBaselineHook')] if scope == 'mmseg' else [])]))
    runner = Runner.from_cfg(config)
    model = runner.train()
    metrics = runner.test()
    assert next(model.parameters()).device.type == 'cuda'
    assert metrics and measured == ['cpu'] * 2
    assert (tmp_path / 'pictures' / 'grid.png').is_file()


def test_bfloat16_is_that_of_the_models_device(gpu):
    model = torch.nn.Linear(2, 2).to('cuda')
    wrapper = OPTIM_WRAPPERS.build(dict(type='lcvision.BF16OptimWrapper',
                                        optimizer=torch.optim.SGD(model.parameters(), 0.1)))
    with wrapper.optim_context(model):
        assert not torch.is_autocast_enabled('cpu')


def test_memory_format_is_left_alone(gpu):
    model = build_model(config_of('pplcnet')).to('cuda')
    MemoryFormatHook('channels_last').before_train(SimpleNamespace(model=model))
    assert not model.backbone._forward_pre_hooks
