import json
import logging
import re
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import EMAHook
from mmengine.model import BaseModel
from mmengine.registry import HOOKS, DefaultScope, init_default_scope
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn
from torch.utils.data import Dataset

from lcvision.deploy.output_check import OutputCheck
from lcvision.engine.hooks import cpu_latency_hook as module
from lcvision.engine.hooks.cpu_latency_hook import CPULatencyHook
from lcvision.errors import UserError
from lcvision.latency import Budget, LatencyRecord, Outcome
from lcvision.latency.record import Summary

QUICK = dict(threads=1, input_size=(16, 24), samples=64, max_seconds=2.)


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    """Each round waits for the threads of others: in few there is time for all samples."""
    monkeypatch.setattr(module, 'Budget', partial(Budget, rounds=4))


class Classifier(BaseModel):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))

    def forward(self, inputs, labels=None, mode='tensor'):
        x = self.head(self.backbone(inputs))
        if mode == 'loss':
            return dict(loss=nn.functional.cross_entropy(x, labels))
        return [dict(score=row) for row in x] if mode == 'predict' else x


class Images(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return dict(inputs=torch.randn(3, 16, 24), labels=i % 2)


class Accuracy(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(1)

    def compute_metrics(self, results):
        return dict(top1=50.)


def make_runner(folder, *hooks, epochs=1, checkpoint=None):
    loader = dict(dataset=Images(), batch_size=2, collate_fn=dict(type='default_collate'),
                  sampler=dict(type='DefaultSampler', shuffle=False))
    return Runner(
        Classifier(), str(folder), train_dataloader=loader, val_dataloader=loader, test_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=epochs), val_cfg=dict(), test_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)), val_evaluator=Evaluator(Accuracy()),
        test_evaluator=Evaluator(Accuracy()),
        default_hooks=dict(checkpoint=checkpoint) if checkpoint else None,
        custom_hooks=list(hooks), default_scope='mmengine', experiment_name=folder.name,
        visualizer=dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')], name=folder.name))


def test_built_by_its_registry_name():
    with DefaultScope.overwrite_default_scope('mmengine'):
        assert isinstance(HOOKS.build(dict(type='lcvision.CPULatencyHook')), CPULatencyHook)


def test_latency_stands_beside_accuracy_in_log_and_visualiser(tmp_path):
    hook = CPULatencyHook(**QUICK)
    runner = make_runner(tmp_path, hook)
    threads = torch.get_num_threads()
    runner.train()
    scalars = [json.loads(line) for line in next(tmp_path.glob('*/vis_data/scalars.json')).read_text().splitlines()]
    line = next(row for row in scalars if 'top1' in row)
    assert line['latency/net_ms'] > 0 and line['latency/p90_ms'] >= line['latency/net_ms']
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert any('top1' in row and 'latency/net_ms' in row for row in log.splitlines())
    assert 'CPU latency of the network: median' in log
    assert torch.get_num_threads() == threads
    record, = hook.records
    assert record.latency_ms.median == pytest.approx(line['latency/net_ms'], abs=1e-3)
    assert record.input == [16, 24] and record.task == 'classification' and len(record.weights_hash) == 16
    assert runner.message_hub.get_info('latency/records') == [record.to_json()]
    assert 'latency/records' not in runner.message_hub.state_dict()['runtime_info']


def test_test_loop_returns_the_metric(tmp_path):
    metrics = make_runner(tmp_path, CPULatencyHook(**{**QUICK, 'samples': 10})).test()
    assert metrics['top1'] == 50 and metrics['latency/net_ms'] > 0
    assert 'latency/p90_ms' not in metrics


class Streets(Images):
    """Images whose left half is one class."""

    metainfo = dict(classes=('road', 'sky'))

    def __getitem__(self, i):
        labels = torch.zeros(1, 32, 64, dtype=torch.long)
        labels[..., 32:] = 1
        sample = SegDataSample(gt_sem_seg=PixelData(data=labels), metainfo=dict(ori_shape=(32, 64), img_shape=(32, 64)))
        return dict(inputs=torch.randint(256, (3, 32, 64), dtype=torch.uint8), data_samples=sample)


@pytest.mark.parametrize('kind', ['lcvision.LeanEncoderDecoder', 'mmseg.EncoderDecoder'])
def test_a_segmentor_has_miou_and_milliseconds_on_one_line(tmp_path, kind):
    model = ConfigDict(
        type=kind, data_preprocessor=dict(type='mmseg.SegDataPreProcessor', size_divisor=1),
        backbone=dict(type='lcvision.PPLCNet', scale=0.25),
        decode_head=dict(type='mmseg.FCNHead', in_channels=16, in_index=0, channels=8, num_convs=1, num_classes=2,
                         loss_decode=dict(type='mmseg.CrossEntropyLoss'), norm_cfg=dict(type='BN')),
        test_cfg=dict(mode='whole'))
    loader = dict(dataset=Streets(), batch_size=2, collate_fn=dict(type='pseudo_collate'),
                  sampler=dict(type='DefaultSampler', shuffle=False))
    metric = dict(type='lcvision.LabelledIoUMetric')
    hook = CPULatencyHook(**{**QUICK, 'input_size': None})
    init_default_scope('mmseg')
    runner = Runner(
        model, str(tmp_path), train_dataloader=loader, val_dataloader=loader, test_dataloader=loader,
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=2, val_interval=2), val_cfg=dict(), test_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)), val_evaluator=metric, test_evaluator=metric,
        custom_hooks=[hook], default_scope='mmseg', experiment_name=tmp_path.name,
        log_processor=dict(by_epoch=False),
        cfg=Config(dict(image_size=(64, 32), model=model, experiment_name=tmp_path.name)))
    runner.train()
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert any('mIoU' in row and 'latency/net_ms' in row for row in log.splitlines())
    assert re.search(r'CPU latency of the network: median .* batch 1, 32x64', log)
    record, = hook.records
    assert record.task == 'segmentation' and record.input == [32, 64]
    metrics = runner.test()
    assert next(iter(metrics)) == 'mIoU' and metrics['latency/net_ms'] > 0


def test_the_model_is_left_as_it_was(tmp_path):
    hook = CPULatencyHook(**QUICK)
    runner = make_runner(tmp_path, hook)
    model = runner.model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    metrics = {}
    hook.after_test_epoch(runner, metrics)
    assert metrics['latency/net_ms'] > 0 and model.training and model.backbone[1].training
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())


def test_the_averaged_weights_are_those_measured(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(module, 'run_benchmark', lambda subjects, *_, **__: seen.extend(
        subjects[0].network.state_dict().values()) or Outcome())
    runner = make_runner(tmp_path, EMAHook(momentum=0.5), CPULatencyHook(**QUICK))
    runner.train()
    averaged = runner.hooks[[type(h) for h in runner.hooks].index(EMAHook)].ema_model.module
    assert len(seen) == len(averaged.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(seen, averaged.state_dict().values(), strict=True))
    trained = runner.model.state_dict().values()
    assert not all(torch.equal(a, b) for a, b in zip(seen, trained, strict=True))


def test_interval(tmp_path, monkeypatch):
    measured = []
    hook = CPULatencyHook(interval=2, **QUICK)
    monkeypatch.setattr(hook, '_measure', lambda runner: measured.append(runner.epoch) or [])
    make_runner(tmp_path, hook, epochs=4).train()
    assert measured == [2, 4]


def test_size_from_the_config_and_its_absence(tmp_path):
    runner = make_runner(tmp_path, CPULatencyHook(**{**QUICK, 'input_size': None}))
    runner.cfg.test_pipeline = [dict(type='Resize', scale=(32, 16))]
    assert runner.test()['latency/net_ms'] > 0
    assert runner.message_hub.get_info('latency/records')[0]['input'] == [16, 32]
    runner.cfg.test_pipeline = []
    with pytest.raises(UserError, match='input_size of the hook'):
        runner.test()


def test_a_wrong_output_is_an_error_in_the_log_and_no_number(tmp_path, monkeypatch):
    monkeypatch.setattr(OutputCheck, 'difference', lambda *_: (9., 9.))
    metrics = make_runner(tmp_path, CPULatencyHook(**QUICK)).test()
    assert metrics == dict(top1=50.)
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'ERROR' in log and 'differs from eager float32' in log


def test_a_failed_measurement_does_not_end_the_run(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError('out of luck')

    monkeypatch.setattr(module, 'run_benchmark', fail)
    assert make_runner(tmp_path, CPULatencyHook(**QUICK)).test() == dict(top1=50.)
    assert 'out of luck' in next(tmp_path.glob('*/*.log')).read_text()


@pytest.mark.parametrize('wrong', [
    dict(engine='quick'), dict(engine=3), dict(threads=0), dict(threads=1.5), dict(threads=10**6),
    dict(input_size=(0, 4)), dict(input_size=(4,)), dict(input_size=('4', 4)), dict(interval=0), dict(samples=0),
    dict(samples=None), dict(max_seconds=0), dict(max_seconds='10'), dict(precision='fp8'), dict(scope='both'),
    dict(scope=''), dict(joint={'metric': 'top1'}), dict(joint={'metric': 'top1', 'budget_ms': 1, 'colour': 2}),
    dict(joint={'metric': 'top1', 'budget_ms': 1, 'scope': 'e2e'})])
def test_wrong_arguments_are_refused_at_construction(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)) if 'threads' not in wrong else 'thread'):
        CPULatencyHook(**wrong)


def measured(monkeypatch, *medians):
    """Lets each measurement give the next median, and each validation the accuracy 50."""
    left = list(medians)
    monkeypatch.setattr(CPULatencyHook, '_measure', lambda self, runner: [row(left.pop(0))])


def row(median):
    return LatencyRecord(config='a.py', task='classification', engine='eager', precision='fp32', threads=1,
                         input=[8, 8], latency_ms=Summary(median, (median, median)))


JOINT = dict(metric='top1', budget_ms=10., weight=1.)


def test_joint_score_stands_beside_the_others(tmp_path, monkeypatch):
    measured(monkeypatch, 20.)
    metrics = make_runner(tmp_path, CPULatencyHook(joint=JOINT, **QUICK)).test()
    assert metrics['latency/net_ms'] == 20 and metrics['joint/score'] == 25.


def test_the_best_checkpoint_is_that_of_the_best_joint_score(tmp_path, monkeypatch):
    measured(monkeypatch, 40., 20., 30.)
    runner = make_runner(tmp_path, CPULatencyHook(joint=JOINT, **QUICK), epochs=3,
                         checkpoint=dict(type='lcvision.AtomicCheckpointHook', interval=1, save_best='joint/score'))
    runner.train()
    best, = tmp_path.glob('best_joint*')
    assert best.name.endswith('epoch_2.pth')
    assert runner.message_hub.get_info('best_score') == 25.


def test_between_measurements_the_last_one_counts(tmp_path, monkeypatch):
    measured(monkeypatch, 20., 40.)
    hook = CPULatencyHook(joint=JOINT, interval=2, **QUICK)
    scores = []
    for _ in range(4):
        metrics = dict(top1=50.)
        hook.after_val_epoch(make_runner(tmp_path, hook), metrics)
        scores.append(metrics.get('joint/score'))
    assert scores == [None, 25., 25., 12.5]


def test_without_the_metric_there_is_no_score(tmp_path, monkeypatch):
    measured(monkeypatch, 20.)
    metrics = make_runner(tmp_path, CPULatencyHook(joint={**JOINT, 'metric': 'coco/bbox_mAP'}, **QUICK)).test()
    assert 'joint/score' not in metrics and metrics['latency/net_ms'] == 20


def test_precision_and_scope_reach_the_benchmark(tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(module, 'check_precisions', lambda *_: None)
    monkeypatch.setattr(module, 'run_benchmark', lambda *_, **settings: seen.update(settings) or Outcome())
    make_runner(tmp_path, CPULatencyHook(precision='bf16', **QUICK)).test()
    assert seen['precisions'] == ['bf16'] and seen['scopes'] == ['net']
    assert CPULatencyHook(scope='e2e,net', **QUICK).scopes == ['net', 'e2e']


def _one_of_two(rank, folder):
    torch.distributed.init_process_group('gloo', f'file://{folder}/meeting', rank=rank, world_size=2)
    hook, measured, metrics = CPULatencyHook(threads=1), [], {}

    def measure(runner):
        measured.append(rank)
        if len(measured) == 2:
            raise UserError('no size')
        return [row(3.5)]

    hook._measure = measure
    runner = SimpleNamespace(logger=logging.getLogger(), message_hub=SimpleNamespace(update_info=lambda *_, **__: None))
    hook.after_test_epoch(runner, metrics)
    with pytest.raises(UserError) as error:
        hook.after_test_epoch(runner, metrics)
    (folder / str(rank)).write_text(f'{len(measured)} {metrics} {error.value}')


def test_distributed_first_rank_measures_and_all_learn_of_it(tmp_path):
    torch.multiprocessing.start_processes(_one_of_two, (tmp_path,), nprocs=2, start_method='fork')
    assert [(tmp_path / str(rank)).read_text() for rank in (0, 1)] == [
        f"{count} {{'latency/net_ms': 3.5}} no size" for count in (2, 0)]
