import multiprocessing
import os
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner, find_latest_checkpoint
from torch import nn

from lcvision.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook, _LaterRemoval, last_checkpoint
from lcvision.errors import UserError
from lcvision.registry import HOOKS

SCORES = [0.2, 0.9, 0.5]


class Net(BaseModel):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def forward(self, inputs, labels=None, mode='tensor'):
        out = self.linear(torch.stack(inputs))
        return dict(loss=out.sum()) if mode == 'loss' else [out]


class Score(BaseMetric):
    """Gives the scores of a list, one an epoch."""

    def __init__(self, scores):
        super().__init__()
        self.scores = list(scores)

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(acc=self.scores.pop(0))


def data():
    return dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=[dict(inputs=torch.ones(2), labels=0)] * 4)


def runner(work_dir, epochs=3, scores=SCORES, hook=None, **kwargs):
    config = dict(type='lcvision.AtomicCheckpointHook', interval=1, **(hook or {}))
    return Runner(Net(), str(work_dir), train_dataloader=data(), val_dataloader=data(),
                  train_cfg=dict(by_epoch=True, max_epochs=epochs, val_interval=1), val_cfg=dict(),
                  val_evaluator=Evaluator([Score(scores)]), optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
                  default_hooks=dict(checkpoint=config), experiment_name=f'{work_dir}-{os.urandom(4).hex()}',
                  log_level='ERROR', **kwargs)


def files(folder):
    return sorted(path.name for path in Path(folder).iterdir() if path.is_file() and path.suffix != '.py')


def last(folder):
    return Path(find_latest_checkpoint(str(folder))).name


def test_is_registered():
    assert HOOKS.get('lcvision.AtomicCheckpointHook') is AtomicCheckpointHook


def test_every_epoch_is_saved_and_can_be_resumed(tmp_path):
    run = runner(tmp_path)
    run.train()
    assert files(tmp_path) == ['epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth', 'last_checkpoint']
    assert last(tmp_path) == 'epoch_3.pth'
    saved = torch.load(tmp_path / 'epoch_3.pth', weights_only=False)['state_dict']
    assert torch.equal(saved['linear.weight'], run.model.linear.weight)
    again = runner(tmp_path, epochs=4, scores=[0.1], resume=True)
    again.train()
    assert again.epoch == 4 and last(tmp_path) == 'epoch_4.pth'


def test_max_keep_and_best(tmp_path):
    runner(tmp_path, hook=dict(max_keep_ckpts=1, save_best='acc', rule='greater')).train()
    assert files(tmp_path) == ['best_acc_epoch_2.pth', 'epoch_3.pth', 'last_checkpoint']
    runner(tmp_path, epochs=5, scores=[0.95, 0.3], resume=True,
           hook=dict(max_keep_ckpts=2, save_best='acc', rule='greater')).train()
    assert files(tmp_path) == ['best_acc_epoch_4.pth', 'epoch_4.pth', 'epoch_5.pth', 'last_checkpoint']


def test_best_by_two_metrics_is_one_file_each(tmp_path):
    class Two(Score):
        def compute_metrics(self, results):
            score = self.scores.pop(0)
            return dict(acc=score, loss=score)

    run = runner(tmp_path, hook=dict(max_keep_ckpts=1, save_best=['acc', 'loss']))
    run._val_evaluator = Evaluator([Two(SCORES)])
    run.train()
    assert files(tmp_path) == ['best_acc_epoch_2.pth', 'best_loss_epoch_1.pth', 'epoch_3.pth', 'last_checkpoint']


def test_a_best_that_takes_the_old_name_is_kept(tmp_path):
    hook = dict(save_best='acc', rule='greater')
    runner(tmp_path, epochs=2, scores=[0.2, 0.9], hook=hook).train()
    # Continues after epoch 1 with the best of epoch 2 still on record.
    checkpoint = torch.load(tmp_path / 'epoch_1.pth', weights_only=False)
    checkpoint['message_hub']['runtime_info']['best_ckpt'] = str(tmp_path / 'best_acc_epoch_2.pth')
    torch.save(checkpoint, tmp_path / 'epoch_1.pth')
    runner(tmp_path, epochs=2, scores=[0.95], hook=hook, resume=True, load_from=str(tmp_path / 'epoch_1.pth')).train()
    assert 'best_acc_epoch_2.pth' in files(tmp_path)


@pytest.mark.parametrize('hook', [dict(max_keep_ckpts=1), dict(max_keep_ckpts=1, save_best='acc', rule='greater')])
@pytest.mark.parametrize('where', ['torch.save', 'os.fsync', 'Path.replace'])
def test_a_save_that_fails_leaves_the_last_checkpoint(tmp_path, monkeypatch, where, hook):
    run = runner(tmp_path, epochs=1, scores=[0.5], hook=hook)
    run.train()
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    run = runner(tmp_path, epochs=2, scores=[0.9], hook=hook, resume=True)

    def interrupted(*args, **kwargs):
        if where == 'torch.save':
            args[1].write(b'half of a checkpoint')
        raise OSError(28, 'No space left on device')

    owner = {'torch.save': torch, 'os.fsync': os, 'Path.replace': Path}[where]
    monkeypatch.setattr(owner, where.split('.')[1], interrupted)
    with pytest.raises(OSError, match='No space left'):
        run.train()
    monkeypatch.undo()
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before
    assert last(tmp_path) == 'epoch_1.pth'
    again = runner(tmp_path, epochs=2, scores=[0.9], hook=hook, resume=True)
    again.train()
    assert again.epoch == 2 and last(tmp_path) == 'epoch_2.pth'


def test_old_best_outlives_a_failing_new_best(tmp_path, monkeypatch):
    run = runner(tmp_path, epochs=2, scores=[0.5, 0.9], hook=dict(save_best='acc', rule='greater'))
    save = torch.save

    def fails_for_the_second_best(obj, file, *args, **kwargs):
        if run.epoch == 2 and 'optimizer' not in obj:
            raise KeyboardInterrupt
        save(obj, file, *args, **kwargs)

    monkeypatch.setattr(torch, 'save', fails_for_the_second_best)
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert 'best_acc_epoch_1.pth' in files(tmp_path) and last(tmp_path) == 'epoch_2.pth'


def test_what_a_kill_left_is_removed_as_the_run_is_resumed(tmp_path, monkeypatch):
    hook = dict(max_keep_ckpts=1, save_best='acc', rule='greater')
    runner(tmp_path, epochs=2, scores=[0.2, 0.5], hook=hook).train()
    run = runner(tmp_path, epochs=3, scores=[0.9], hook=hook, resume=True)

    def killed(self, keep):
        if self.outdated and run.epoch == 3:
            raise KeyboardInterrupt
        clear(self, keep)
    clear = _LaterRemoval.clear
    monkeypatch.setattr(_LaterRemoval, 'clear', killed)
    with pytest.raises(KeyboardInterrupt):
        run.train()
    monkeypatch.undo()
    assert {'best_acc_epoch_2.pth', 'best_acc_epoch_3.pth'} < set(files(tmp_path))
    runner(tmp_path, epochs=3, scores=[], hook=hook, resume=True).train()
    assert files(tmp_path) == ['best_acc_epoch_3.pth', 'epoch_3.pth', 'last_checkpoint']


def test_by_iteration_and_in_another_folder(tmp_path):
    config = dict(type='lcvision.AtomicCheckpointHook', interval=2, by_epoch=False, max_keep_ckpts=2,
                  out_dir=str(tmp_path / 'out'))
    run = runner(tmp_path / 'work', epochs=3)
    run._hooks = [hook for hook in run._hooks if not isinstance(hook, AtomicCheckpointHook)]
    run.register_hook(config)
    run.train()
    assert files(tmp_path / 'out' / 'work') == ['iter_4.pth', 'iter_6.pth']
    assert last(tmp_path / 'work') == 'iter_6.pth'


def test_code_inside_a_checkpoint_is_not_executed_on_resuming(tmp_path):
    runner(tmp_path, epochs=1, scores=[0.5]).train()
    checkpoint = torch.load(tmp_path / 'epoch_1.pth', weights_only=False)
    checkpoint['meta']['config'] = f'open({str(tmp_path / "sentinel")!r}, "w").close()'
    torch.save(checkpoint, tmp_path / 'epoch_1.pth')
    run = runner(tmp_path, epochs=2, scores=[0.5], resume=True)
    run.train()
    assert run.epoch == 2 and not (tmp_path / 'sentinel').exists()


def test_two_trainings_in_one_folder_both_end(tmp_path):
    def train():
        runner(tmp_path, epochs=20, scores=[0.1 * epoch for epoch in range(20)],
               hook=dict(max_keep_ckpts=1, save_best='acc')).train()

    processes = [multiprocessing.get_context('fork').Process(target=train) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert torch.load(tmp_path / last(tmp_path), weights_only=False)['meta']['epoch'] == 20


def test_a_copied_run_leaves_the_run_that_it_is_a_copy_of(tmp_path):
    hook = dict(max_keep_ckpts=1, save_best='acc', rule='greater')
    runner(tmp_path / 'old', epochs=2, scores=[0.2, 0.5], hook=hook).train()
    shutil.copytree(tmp_path / 'old', tmp_path / 'new')
    before = files(tmp_path / 'old')
    newest = last_checkpoint(tmp_path / 'new')
    assert newest == tmp_path / 'new' / 'epoch_2.pth'
    runner(tmp_path / 'new', epochs=3, scores=[0.9], hook=hook, resume=True, load_from=str(newest)).train()
    assert files(tmp_path / 'old') == before and 'best_acc_epoch_2.pth' in before
    assert files(tmp_path / 'new') == ['best_acc_epoch_3.pth', 'epoch_3.pth', 'last_checkpoint']


def test_last_checkpoint_lies_in_out_dir_if_there_is_one(tmp_path):
    assert last_checkpoint(tmp_path) is None
    (tmp_path / 'last_checkpoint').write_text('/gone/run/iter_6.pth\n')
    assert last_checkpoint(tmp_path, str(tmp_path / 'out')) == tmp_path / 'out' / tmp_path.name / 'iter_6.pth'


@pytest.mark.parametrize('key', ['accc', 'acc/top1', 'coco/bbox_mAP'])
def test_a_metric_that_is_none_is_told_at_the_first_evaluation(tmp_path, key):
    with pytest.raises(UserError, match=f'save_best={key}: there is no such metric, only acc; .*--resume'):
        runner(tmp_path, hook=dict(save_best=key, rule='greater')).train()
    assert last(tmp_path) == 'epoch_1.pth'


def test_a_metric_that_is_silent_yet_is_waited_for(tmp_path):
    class Detections(Score):
        """Has nothing to say before it finds something, as a detector's."""
        default_prefix = 'coco'

        def compute_metrics(self, results):
            score = self.scores.pop(0)
            return dict(bbox_mAP=score) if score else {}

    run = runner(tmp_path, hook=dict(save_best='coco/bbox_mAP'))
    run._val_evaluator = Evaluator([Detections([0, 0, 0.5])])
    run.train()
    assert 'best_coco_bbox_mAP_epoch_3.pth' in files(tmp_path)
