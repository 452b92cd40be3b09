"""Every config file: the first of those that differ in numbers alone is trained, predicts and reads data, all fit."""
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from mmpretrain.structures import DataSample
from mmseg.structures import SegDataSample

from lcvision.datasets.sample.sets import (
    render_classification_sample,
    render_detection_sample,
    render_segmentation_sample,
)
from lcvision.datasets.sources import use_source
from lcvision.deploy.input_size import find_input_size

ROOT = Path(__file__).parents[2] / 'configs'
CONFIGS = {str(path.relative_to(ROOT).with_suffix('')): Config.fromfile(path)
           for path in sorted(ROOT.rglob('*.py')) if '_base_' not in path.parts}


def kind(node, key=''):
    """What a config says without its numbers: two of one kind differ in sizes alone."""
    if isinstance(node, dict):
        return frozenset((name, kind(value, name)) for name, value in node.items())
    if isinstance(node, list | tuple):
        items = tuple(map(kind, node))
        return None if set(items) <= {None} else items
    return node if isinstance(node, str) and key not in ('arch', 'depth') else None


# By kind, the name of the first config.
FIRST: dict = {}
for config_name, config in CONFIGS.items():
    FIRST.setdefault(kind(config._cfg_dict), config_name)
OTHERS = [name for name in CONFIGS if name not in FIRST.values()]
HOOKS = {'CPULatencyHook', 'FiniteHook', 'SeedHook', 'ResumeHook', 'CompatibleCheckpointHook', 'MemoryFormatHook',
         'PictureHook'}


@dataclass(frozen=True)
class Task:
    """What the test has to know of a task.

    Args:
        samples: From a config, a batch as a pipeline would give it: ``inputs`` and ``data_samples``.
        render: Fills a folder with a data set of a few images.
        wake: Makes an untrained model predict something.
        check: Asserts that a prediction is one; takes config, sample and the (height, width) of its image.
    """

    samples: Callable[[Config], dict]
    render: Callable[[Path], None]
    wake: Callable[[torch.nn.Module], None]
    check: Callable[[Config, object, tuple[int, int]], None]


def detection_samples(cfg):
    """Two images of different shapes, one with three objects and one with none."""
    data_samples, inputs = [], []
    for (height, width), count in (((96, 128), 3), ((128, 96), 0)):
        centre = torch.rand(count, 2) * torch.tensor([width, height])
        half = 4 + 28 * torch.rand(count, 2)
        boxes = torch.cat((centre - half, centre + half), 1)
        boxes[:, 0::2].clamp_(0, width)
        boxes[:, 1::2].clamp_(0, height)
        labels = torch.randint(cfg.model.bbox_head.num_classes, (count,))
        shape = dict(img_shape=(height, width), ori_shape=(2 * height, 2 * width), scale_factor=(0.5, 0.5))
        data_samples.append(DetDataSample(
            metainfo=shape, gt_instances=InstanceData(bboxes=boxes, labels=labels),
            ignored_instances=InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))))
        inputs.append(torch.randint(256, (3, height, width), dtype=torch.uint8))
    return dict(inputs=inputs, data_samples=data_samples)


def check_detection(cfg, sample, size):
    found, (height, width) = sample.pred_instances, size
    assert 0 < len(found) <= cfg.model.test_cfg.max_per_img
    assert found.bboxes.shape == (len(found), 4) and found.bboxes.isfinite().all()
    assert (found.bboxes[:, 2:] >= found.bboxes[:, :2]).all()
    # No generation lets a box reach further out of the image than its distances do: eight strides of 64 pixels.
    assert (found.bboxes > -1024).all() and (found.bboxes < max(height, width) + 1024).all()
    assert (found.scores > cfg.model.test_cfg.score_thr).all() and (found.scores <= 1).all()
    assert (found.scores.diff() <= 0).all()
    assert found.labels.min() >= 0 and found.labels.max() < cfg.model.bbox_head.num_classes


def let_scores_pass(model):
    """Scores of an untrained head are below the threshold; its boxes are to be seen all the same."""
    for parameter in model.bbox_head.parameters():
        if parameter.ndim == 1:
            torch.nn.init.uniform_(parameter, -0.5, 0.5)


def classification_samples(cfg):
    """Two small images of any two classes."""
    labels = torch.randint(cfg.data_preprocessor.num_classes, (2,)).tolist()
    shape = dict(img_shape=(64, 64), ori_shape=(64, 64))
    return dict(inputs=torch.randint(256, (2, 3, 64, 64), dtype=torch.uint8),
                data_samples=[DataSample(metainfo=shape).set_gt_label(label) for label in labels])


def check_classification(cfg, sample, size):
    assert sample.pred_score.shape == (cfg.data_preprocessor.num_classes,)
    assert (sample.pred_score >= 0).all() and abs(sample.pred_score.sum() - 1) < 1e-4
    assert sample.pred_label.tolist() == [sample.pred_score.argmax().item()]


def segmentation_samples(cfg):
    """Two images of a size that no stride divides, partly without a label."""
    size = 70, 97
    labels = torch.randint(cfg.model.decode_head.num_classes, (2, 1, *size))
    labels[..., :20] = cfg.model.decode_head.ignore_index
    shape = dict(img_shape=size, ori_shape=size)
    return dict(inputs=list(torch.randint(256, (2, 3, *size), dtype=torch.uint8)),
                data_samples=[SegDataSample(metainfo=shape, gt_sem_seg=PixelData(data=label)) for label in labels])


def check_segmentation(cfg, sample, size):
    labels = sample.pred_sem_seg.data
    assert labels.shape == (1, *size)
    assert labels.min() >= 0 and labels.max() < cfg.model.decode_head.num_classes


# By default_scope.
TASKS = {
    'mmdet': Task(detection_samples, lambda root: render_detection_sample(root, 4, 2), let_scores_pass,
                  check_detection),
    'mmseg': Task(segmentation_samples, lambda root: render_segmentation_sample(root, 4, 2), lambda model: None,
                  check_segmentation),
    'mmpretrain': Task(classification_samples, lambda root: render_classification_sample(root, 2, 1),
                       lambda model: None, check_classification),
}


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """The folder of a task's rendered data, made when first asked for."""
    folders = {}

    def get(scope):
        if scope not in folders:
            folders[scope] = tmp_path_factory.mktemp(scope)
            TASKS[scope].render(folders[scope])
        return str(folders[scope])

    return get


@pytest.fixture(scope='module', params=FIRST.values())
def runner(request, data, tmp_path_factory):
    """All parts of one config, built as a training builds them, on rendered data."""
    cfg = copy.deepcopy(CONFIGS[request.param])
    cfg.work_dir = str(tmp_path_factory.mktemp('work_dir'))
    cfg.load_from = None
    drop_pretrained(cfg.model)
    for name in ('train', 'val', 'test'):
        cfg[f'{name}_dataloader'].update(num_workers=0, persistent_workers=False, batch_size=2)
    use_source(cfg, data(cfg.default_scope), train=True)
    with pytest.MonkeyPatch.context() as patch:
        # Seconds of a log that nobody reads here: what the machine is, and the config in columns, three times.
        patch.setattr('mmengine.runner.runner.collect_env', dict)
        patch.setattr(Config, 'pretty_text', property(lambda self: ''))
        runner = Runner.from_cfg(cfg)
    runner.model.init_weights()
    return runner


def drop_pretrained(node):
    """Takes out everything that would read a checkpoint."""
    for value in list(node.values()) if isinstance(node, dict) else node:
        if isinstance(value, dict | list):
            drop_pretrained(value)
    if isinstance(node, dict) and isinstance(node.get('init_cfg'), dict) and node['init_cfg']['type'] == 'Pretrained':
        del node['init_cfg']


@torch.no_grad()
def predict(model, batch):
    return model.eval().test_step(batch)


def test_there_are_configs():
    assert len(CONFIGS) > len(FIRST) > 20
    assert {cfg.default_scope for cfg in CONFIGS.values()} == set(TASKS)


@pytest.mark.parametrize('name', OTHERS)
def test_the_parts_of_one_with_other_numbers_fit(name):
    cfg = copy.deepcopy(CONFIGS[name])
    if 'data_preprocessor' in cfg:
        cfg.model.data_preprocessor = cfg.data_preprocessor
    with DefaultScope.overwrite_default_scope(cfg.default_scope), torch.device('meta'):
        model = MODELS.build(cfg.model).eval()
        assert model(torch.empty(1, 3, *find_input_size(cfg)), mode='tensor') is not None


def test_trains_and_predicts(runner):
    cfg = runner.cfg
    task, model = TASKS[cfg.default_scope], runner.model.train()
    loop = runner.train_loop
    optimizer = runner.build_optim_wrapper(cfg.optim_wrapper)
    runner.optim_wrapper = optimizer
    schedulers = runner.build_param_scheduler(cfg.param_scheduler)
    assert len(schedulers) == len(cfg.param_scheduler)
    assert all(getattr(loop, key) == cfg.train_cfg[key] for key in ('max_epochs', 'max_iters') if key in cfg.train_cfg)
    registered = [type(hook).__name__ for hook in runner.hooks]
    wanted = [*cfg.default_hooks.values(), *cfg.get('custom_hooks', [])]
    assert {hook['type'].rpartition('.')[2] for hook in wanted} | HOOKS <= set(registered)
    assert len(set(registered)) == len(registered)

    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    loss, logs = model.parse_losses(model(**model.data_preprocessor(task.samples(cfg), training=True), mode='loss'))
    assert loss > 0 and all(value.isfinite().all() for value in logs.values())
    optimizer.backward(loss)
    for name, parameter in model.named_parameters():
        assert not parameter.requires_grad or parameter.grad.isfinite().all(), name
    optimizer.step()
    assert all(p.isfinite().all() for p in model.parameters())
    assert any(not torch.equal(p, before[name]) for name, p in model.named_parameters())
    for scheduler in schedulers:
        scheduler.step()
    assert all(np.isfinite(group['lr']) for group in optimizer.optimizer.param_groups)

    task.wake(model)
    for result in predict(model, task.samples(cfg)):
        task.check(cfg, result, result.ori_shape)


def test_reads_its_data(runner):
    cfg = runner.cfg
    task, model = TASKS[cfg.default_scope], runner.model
    batch = next(iter(runner.train_dataloader))
    assert len(batch['inputs']) == len(batch['data_samples']) == 2
    ready = model.data_preprocessor(batch, training=True)
    assert ready['inputs'].shape[:2] == (2, 3) and ready['inputs'].isfinite().all()
    assert 0.1 < ready['inputs'].std() < 10, 'images are not normalised'

    task.wake(model)
    evaluator, loader = runner.val_loop.evaluator, runner.val_dataloader
    batch = next(iter(loader))
    height, width = find_input_size(cfg)
    assert model.data_preprocessor(batch)['inputs'].shape == (2, 3, height, width)
    results = predict(model, batch)
    for result in results:
        task.check(cfg, result, result.ori_shape)
    evaluator.process(results, batch)
    metrics = evaluator.evaluate(len(loader.dataset))
    assert metrics and all(np.isfinite(value) and -1 <= value <= 100 for value in metrics.values())
    assert json.dumps(metrics)
