"""tools/train.py as a user runs it."""
import json
import multiprocessing
import os
import re
import signal
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import EpochBasedTrainLoop
from mmengine.visualization import Visualizer

import lcvision
from lcvision.cli import run_tool
from lcvision.cli.train import main
from lcvision.deploy.network import build_model
from lcvision.errors import UserError
from lcvision.training.schedule import set_epochs
from tests.cli.conftest import CONFIG, ROOT, TINY, call, tool


def scalars(folder):
    lines = next(folder.glob('*/vis_data/scalars.json')).read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_run_trains_evaluates_and_saves(run):
    folder, output = run
    assert (folder / 'epoch_2.pth').is_file() and (folder / 'last_checkpoint').is_file()
    head = output.splitlines()[:25]
    for name, words in (('model', 'PPLCNet, PicoPAN, PicoHeadGFL'), ('data', '17 training and 4 validation images'),
                        ('classes', '8: '), ('batch', '8, 2 steps an epoch, 2 epochs'), ('memory format', 'contiguous'),
                        ('threads', '1'), ('saved in', str(folder))):
        assert any(line.strip().startswith(name) and words in line for line in head), (name, output[:3000])
    assert 'schedule scaled from 70 to 2 epochs' in output
    assert json.loads((folder / 'run.json').read_text())['data'].startswith('coco')
    steps = [line for line in scalars(folder) if 'loss' in line]
    assert steps and all(torch.tensor(line['loss']).isfinite() for line in steps)


def test_metrics_and_latency_stand_on_one_line(run):
    folder, output = run
    evaluations = [line for line in scalars(folder) if 'coco/bbox_mAP' in line]
    assert evaluations and all(line['latency/net_ms'] > 0 for line in evaluations)
    rows = [line.split() for line in output.splitlines()]
    start = next(index for index, row in enumerate(rows) if row[:2] == ['epoch', 'bbox_mAP'] and row[-1] == 'net_ms')
    assert [row[0] for row in rows[start + 1:] if row and row[0] in '12'] == ['1', '2']


def test_the_console_is_short_and_the_log_file_whole(run):
    folder, output = run
    log = next(folder.glob('*/*.log')).read_text()
    for words in ('Hooks will be executed', 'System environment', 'loading annotations'):
        assert words not in output and words in log, words
    assert re.search(r'Epoch\(val\).*coco/bbox_mAP: .*latency/net_ms: ', log)
    assert re.search(r'epoch 2/2, step 2/2  loss [\d.]+  lr [\d.e-]+  [\d.]+ images/s  ETA 0:', output)
    assert 'schedule scaled' in log and 'left out: 1 of 18 images' in log and len(output.splitlines()) < 25


def test_a_detector_learns(learned, tmp_path):
    data, trained = learned
    losses = [line['loss'] for line in scalars(Path(trained.work_dir)) if 'loss' in line]
    assert sum(losses[-10:]) < 0.75 * sum(losses[:10])
    untrained = tmp_path / 'untrained.pth'
    torch.save(dict(state_dict=build_model(Config.fromfile(trained.config)).state_dict()), untrained)
    before = lcvision.evaluate(trained.config, untrained, data, work_dir=tmp_path,
                               cfg_options={'default_hooks.latency': None}).metrics
    assert before.get('coco/bbox_mAP_50', 0) < 0.1 and trained.metrics['coco/bbox_mAP_50'] > 0.3


def _killed_in_epoch_2(*args):
    plain = EpochBasedTrainLoop.run_iter

    def run_iter(self, index, batch):
        if (self.epoch, index) == (1, 1):
            os.kill(os.getpid(), signal.SIGKILL)
        plain(self, index, batch)
    EpochBasedTrainLoop.run_iter = run_iter
    call('train', *args)


@pytest.mark.skipif(torch.cuda.is_available(), reason='a process that knows GPUs cannot be forked')
def test_killed_run_resumes_in_the_epoch_it_was_in(data, tmp_path):
    args = [CONFIG, '--data', str(data), '--work-dir', str(tmp_path), '--epochs', '3', *TINY]
    process = multiprocessing.get_context('fork').Process(target=_killed_in_epoch_2, args=args)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL and 'epoch_1.pth' in (tmp_path / 'last_checkpoint').read_text()
    done = call('train', *args[:-len(TINY)], '--resume', '--verbose', *TINY)
    assert done.returncode == 0, done.stderr[-2000:]
    output = done.stdout + done.stderr
    assert 'resumed epoch: 1' in output and not re.search(r'Epoch\(train\) +\[1\]', output)
    assert re.search(r'Epoch\(train\) +\[2\]', output)
    assert (tmp_path / 'epoch_3.pth').is_file()


def test_two_processes_train_together(data, tmp_path):
    launcher = ('-m', 'torch.distributed.run', '--nproc-per-node', '2', '--master-port', '29617')
    done = tool('train', CONFIG, '--launcher', 'pytorch', '--data', str(data), '--work-dir', str(tmp_path), '--epochs',
                '1', *TINY, 'train_dataloader.batch_size=4', launcher=launcher)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert (tmp_path / 'epoch_1.pth').is_file() and 'bbox_mAP' in output
    assert output.count('training picodet') == 1 and 'in each of 2 processes' in output


def test_weights_of_another_class_count_start_with_a_new_class_layer(run, data, tmp_path):
    folder, _ = run
    small = tmp_path / 'small'
    for split in ('train', 'val'):
        content = json.loads((data / f'annotations/instances_{split}2017.json').read_text())
        kept = {c['id'] for c in content['categories'][:3]}
        content['categories'] = content['categories'][:3]
        content['annotations'] = [a for a in content['annotations'] if a['category_id'] in kept]
        target = small / f'annotations/instances_{split}2017.json'
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(content))
        (small / f'{split}2017').symlink_to(data / f'{split}2017')
    done = call('train', CONFIG, '--data', str(small), '--work-dir', str(tmp_path / 'w'), '--epochs', '1',
                '--load-from', str(folder / 'epoch_2.pth'), *TINY, 'train_dataloader.batch_size=4')
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert len(re.findall('has another number of classes', output)) == 1


def test_bfloat16_trains_and_tensorboard_gets_the_metrics(data, tmp_path):
    done = call('train', CONFIG, '--amp', '--data', str(data), '--work-dir', str(tmp_path), '--epochs', '1', *TINY,
                'visualizer.vis_backends.0.type=TensorboardVisBackend')
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / 'epoch_1.pth').is_file()
    Visualizer.get_current_instance().close()
    written = b''.join(path.read_bytes() for path in tmp_path.glob('*/vis_data/events.out.tfevents*'))
    assert b'coco/bbox_mAP' in written and b'latency/net_ms' in written


def test_epochs_scale_every_schedule():
    cfg = Config(dict(model=dict(train_cfg=dict(initial_epoch=100)), train_cfg=dict(max_epochs=280, val_interval=10),
                      param_scheduler=[
        dict(type='LinearLR', by_epoch=False, begin=0, end=300),
        dict(type='CosineAnnealingLR', T_max=280, by_epoch=True, begin=0, end=280),
        dict(type='MultiStepLR', milestones=[140, 210], by_epoch=True)]))
    set_epochs(cfg, 28)
    assert cfg.train_cfg.max_epochs == 28 and cfg.train_cfg.val_interval == 10
    linear, cosine, steps = cfg.param_scheduler
    assert (linear.end, cosine.T_max, cosine.end, cosine.begin, steps.milestones) == (300, 28, 28, 0, [14, 21])
    assert cfg.model.train_cfg.initial_epoch == 10


@pytest.mark.parametrize(('args', 'words'), [
    (['configs/detection/none.py'], ['no config file configs/detection/none.py', 'configs/detection/']),
    (['setup.cfg'], ['setup.cfg is no readable config file']),
    (['configs/_base_/runtime.py'], ["has no 'model'"]),
    ([CONFIG], ['data/coco', 'annotations/instances_train2017.json', '--data DIR', '--data sample']),
    ([CONFIG, '--data', 'no/such/folder'], ['no/such/folder: no such folder', "'sample'"]),
    ([CONFIG, '--data', 'tools'], ['tools is not in COCO layout', 'annotations/instances_val2017.json']),
    ([CONFIG, '--data', 'docs'], ['docs/results.json is not in COCO format', 'images, annotations, categories']),
    ([CONFIG, '--epochs', '0'], ['--epochs 0', 'at least 1']),
    ([CONFIG, '--resume', 'x.pth', '--load-from', 'y.pth'], ['exclude each other']),
    ([CONFIG, '--launcher', 'pytorch', '--data', 'docs'], ['torchrun --nproc-per-node N -m lcvision.cli train CONFIG']),
    ([CONFIG, '--launcher', 'slurm', '--data', 'docs'], ['SLURM_PROCID', 'srun']),
    ([CONFIG, '--launcher', 'mpi', '--data', 'docs'], ['OMPI_COMM_WORLD_RANK', 'mpirun']),
    ([CONFIG, '--cfg-options', 'a'], ['--cfg-options a', 'KEY=VALUE']),
    ([CONFIG, '--cfg-options', 'x=(1,(2,[3'], ['x=(1,(2,[3', 'every bracket closed']),
    *[([CONFIG, '--cfg-options', f'{key}={value}'], [key, wanted]) for key, value, wanted in (
        ('train_cfg.max_epochs', '0', 'at least 1'), ('train_dataloader.batch_size', '0', 'at least 1'),
        ('train_dataloader.batch_size', 'x', 'whole number'), ('val_dataloader.batch_size', '-1', 'at least 1'),
        ('model', '5', 'is a dict'), ('test_dataloader', '5', 'is a dict'), ('param_scheduler', '5', 'dict or list'),
        ('val_evaluator', 'None', 'need this entry'), ('custom_hooks', '5', 'is a list'),
        ('default_hooks', '5', 'is a dict'), ('load_from', '5', 'is a str'))],
])
def test_wrong_input_is_one_sentence(args, words, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv('RANK', raising=False)
    assert run_tool(lambda: main([*args, '--work-dir', str(tmp_path / 'w')])) == 2
    message = capsys.readouterr().err
    assert message.count('\n') == 1 and message.startswith('error: ')
    for word in words:
        assert word in message
    assert not (tmp_path / 'w').exists()


@pytest.mark.parametrize(('option', 'words'), [
    ('optim_wrapper.optimizer.type=SGDx', ['optim_wrapper.optimizer.type=SGDx', 'SGD and AdamW']),
    ('model.backbone.scale=-1', ['ValueError: PPLCNet: scale=-1 must be above 0', 'pplcnet.py:']),
    ('param_scheduler.0.type=Foo', ['Foo is not in the']),
    ('default_hooks.checkpoint.save_best=loved', ['Cannot infer the rule for key loved']),
    ('work_dir=FILE/deeper', ['--work-dir', 'cannot be made', 'Not a directory'])])
def test_what_cannot_be_built_is_one_sentence(option, words, data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (tmp_path / 'file').touch()
    folder = str(tmp_path / 'file' / 'deeper') if 'FILE' in option else str(tmp_path / 'w')
    given = [] if 'FILE' in option else [option]
    assert run_tool(lambda: main([CONFIG, '--data', str(data), '--work-dir', folder, *TINY, *given])) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith('error: ')
    for word in words:
        assert word in message, message


def test_empty_hooks_and_schedules_are_lists(tmp_path, data, monkeypatch):
    seen = {}
    monkeypatch.setattr('lcvision.training.train._run', lambda prepared, *_: seen.update(cfg=prepared.cfg))
    monkeypatch.chdir(ROOT)
    main([CONFIG, '--data', str(data), '--epochs', '3', '--cfg-options', 'param_scheduler=None', 'custom_hooks=None',
          'default_hooks.latency=None'])
    assert seen['cfg'].param_scheduler == seen['cfg'].custom_hooks == [] and 'latency' not in seen['cfg'].default_hooks


def test_resume_takes_the_checkpoint_of_this_folder_or_says_that_there_is_none(tmp_path, data, monkeypatch):
    seen = []
    monkeypatch.setattr('lcvision.training.train._run', lambda prepared, *_: seen.append(prepared))
    monkeypatch.chdir(ROOT)
    old, new = tmp_path / 'old', tmp_path / 'new'
    for folder, value in ((old, 0.), (new, 1.)):
        folder.mkdir()
        torch.save(dict(state_dict=dict(a=torch.tensor(value)), meta=dict(epoch=2, iter=6)), folder / 'epoch_2.pth')
        (folder / 'last_checkpoint').write_text(str(old / 'epoch_2.pth'))
    for folder in (old, new, tmp_path / 'empty'):
        main([CONFIG, '--data', str(data), '--work-dir', str(folder), '--resume'])
    assert [prepared.cfg.load_from for prepared in seen] == [str(old / 'epoch_2.pth'), str(new / 'epoch_2.pth'), None]
    assert f'no checkpoint in {tmp_path / "empty"}, so this run starts' in seen[2].notes[-1]
    (new / 'epoch_2.pth').unlink()
    with pytest.raises(UserError, match=f'no weights file {new}'):
        main([CONFIG, '--data', str(data), '--work-dir', str(new), '--resume'])


def test_a_run_that_diverges_is_one_sentence_and_exit_code_1(data, tmp_path):
    done = call('train', CONFIG, '--data', str(data), '--work-dir', str(tmp_path), '--epochs', '3', *TINY,
                'optim_wrapper.optimizer.lr=1e20', 'param_scheduler=[]', 'optim_wrapper.clip_grad=None')
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1 and last.startswith('error: training diverged at iteration'), done.stderr[-2000:]
    assert 'loss_' in last and '.jpg' in last and 'Traceback' not in done.stderr


def test_checkpoint_faults_are_told(run, data, tmp_path, capsys):
    folder, _ = run
    whole = (folder / 'epoch_2.pth').read_bytes()
    torn = tmp_path / 'torn.pth'
    torn.write_bytes(whole[:len(whole) // 2])
    for args, word in ((['--load-from', str(tmp_path / 'none.pth')], 'no weights file'),
                       (['--load-from', str(torn)], 'torn.pth'), (['--resume', str(torn)], 'torn.pth'),
                       (['--resume', 'weights.safetensors'], '--load-from')):
        assert run_tool(lambda args=args: main([CONFIG, '--data', str(data), '--work-dir', str(tmp_path), *args])) == 2
        assert word in capsys.readouterr().err


def test_truncated_image_is_named(data, tmp_path):
    broken = tmp_path / 'broken'
    broken.mkdir()
    (broken / 'annotations').symlink_to(data / 'annotations')
    (broken / 'val2017').symlink_to(data / 'val2017')
    (broken / 'train2017').mkdir()
    for image in (data / 'train2017').iterdir():
        content = image.read_bytes()
        (broken / 'train2017' / image.name).write_bytes(content[:len(content) // 3])
    done = call('train', CONFIG, '--data', str(broken), '--work-dir', str(tmp_path / 'w'), *TINY,
                'train_dataloader.num_workers=1')
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('error: ') and str(broken / 'train2017') in last and '.jpg' in last
    assert 'Traceback' not in last


def test_unknown_option_path_is_told(data, tmp_path):
    with pytest.raises(UserError, match='cfg-options'):
        main([CONFIG, '--data', str(data), '--work-dir', str(tmp_path), '--cfg-options', 'max_epochs.foo.bar=1'])
