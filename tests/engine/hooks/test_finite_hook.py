"""A training that diverges stops at once and leaves a good checkpoint."""
import os
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner, find_latest_checkpoint
from mmengine.structures import BaseDataElement
from torch import nn

from lcvision.engine.hooks.finite_hook import image_names
from lcvision.errors import RunFailed


class Net(BaseModel):
    """Two items are a batch; item 5 spoils the loss, its gradient or a statistic."""

    def __init__(self, spoils='loss'):
        super().__init__()
        self.linear = nn.Linear(1, 1)
        self.register_buffer('mean', torch.zeros(1))
        self.spoils, self.steps = spoils, 0

    def forward(self, inputs, data_samples=None, mode='tensor'):
        out = self.linear(torch.stack(inputs)).mean()
        self.steps += 1
        zero = out * 0
        if any(value == 5 for value in inputs):
            if self.spoils == 'loss':
                zero = out * float('nan')
            elif self.spoils == 'gradient':
                zero = zero.sqrt()
            else:
                self.mean += float('inf')
        return dict(loss_box=out, loss_cls=zero)


def train(folder, spoils='loss', epochs=3, by_epoch=True, bad_epoch=2, finite=True, **kwargs):
    def item(index):
        return dict(inputs=torch.full((1,), float(index)),
                    data_samples=BaseDataElement(metainfo=dict(img_path=f'pictures/{index}.jpg')))

    class Items(torch.utils.data.Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, index):
            read.append(index)
            spoiled = index == 5 and len(read) > 8 * (bad_epoch - 1)
            return item(5 if spoiled else index % 5 if index == 5 else index)

    read, net = [], Net(spoils)
    hooks = dict(checkpoint=dict(type='lcvision.AtomicCheckpointHook', interval=1 if by_epoch else 4,
                                 by_epoch=by_epoch, max_keep_ckpts=1))
    if finite:
        hooks['finite'] = dict(type='lcvision.FiniteHook')
    length = dict(max_epochs=epochs) if by_epoch else dict(max_iters=4 * epochs)
    runner = Runner(net, str(folder), train_cfg=dict(by_epoch=by_epoch, **length), default_hooks=hooks,
                    train_dataloader=dict(batch_size=2, num_workers=0, collate_fn=dict(type='pseudo_collate'),
                                          sampler=dict(type='DefaultSampler', shuffle=False), dataset=Items()),
                    optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)), log_level='ERROR',
                    experiment_name=f'{folder}-{os.urandom(4).hex()}', **kwargs)
    try:
        runner.train()
    finally:
        net.seen = len(read)
    return runner


@pytest.mark.parametrize('spoils', ['loss', 'gradient'])
def test_a_run_stops_at_the_step_that_diverges(tmp_path, spoils):
    with pytest.raises(RunFailed) as error:
        train(tmp_path, spoils)
    said = str(error.value)
    assert error.value.exit_code == 1 and '\n' not in said
    for part in ('iteration 7 (step 3 of epoch 2)', 'loss_box', 'loss_cls', 'pictures/4.jpg, pictures/5.jpg',
                 f'the last good checkpoint is {tmp_path / "epoch_1.pth"}', 'clip_grad'):
        assert part in said, said
    assert ('loss_cls nan' in said) == (spoils == 'loss')
    assert 'linear.weight' in said
    kept = torch.load(find_latest_checkpoint(str(tmp_path)), weights_only=False)['state_dict']
    assert all(value.isfinite().all() for value in kept.values())


def test_a_run_that_counts_iterations(tmp_path):
    with pytest.raises(RunFailed, match=r'iteration 3: .*no checkpoint was written before'):
        train(tmp_path, by_epoch=False, bad_epoch=1)


@pytest.mark.parametrize('spoils', ['statistic', 'gradient'])
def test_a_checkpoint_that_is_not_finite_replaces_none(tmp_path, spoils):
    # The statistic spoils no loss, and without the hook nothing looks at the steps.
    with pytest.raises(RunFailed, match=r'not finite, the first is (mean|linear\.weight); nothing was written'):
        train(tmp_path, spoils, finite=spoils == 'statistic')
    assert sorted(path.name for path in tmp_path.glob('*.pth')) == ['epoch_1.pth']
    assert find_latest_checkpoint(str(tmp_path)) == str(tmp_path / 'epoch_1.pth')


@pytest.mark.parametrize(('bad', 'stops'), [(range(5, 8), False), (range(8), True)])
def test_overflows_that_a_loss_scaler_skips_are_let_pass(tmp_path, monkeypatch, bad, stops):
    # What is skipped leaves the weights alone.
    monkeypatch.setattr('mmengine.optim.OptimWrapper.step', lambda self, **_: None)
    scaler = SimpleNamespace(is_enabled=lambda: True)
    monkeypatch.setattr('mmengine.optim.OptimWrapper.loss_scaler', scaler, raising=False)
    monkeypatch.setattr(Net, 'forward', lambda self, inputs, **_: dict(
        loss=self.linear(torch.stack(inputs)).mean() * (float('nan') if int(inputs[1]) in bad else 1)))
    if stops:
        with pytest.raises(RunFailed, match='iteration 20 '):
            train(tmp_path, epochs=10)
    else:
        assert train(tmp_path, epochs=10).iter == 40


@pytest.mark.parametrize(('batch', 'names'), [
    (dict(data_samples=[SimpleNamespace(metainfo=dict(img_path='a.jpg')),
                        SimpleNamespace(metainfo=dict(sample_idx=0))]), ['a.jpg', '0']),
    (dict(inputs=torch.zeros(1)), []), ([torch.zeros(1)], []), (dict(data_samples=torch.zeros(2)), []), (None, [])])
def test_names_of_images(batch, names):
    assert image_names(batch) == names


def _one_of_two(rank, folder):
    os.environ['LOCAL_RANK'] = str(rank)
    torch.distributed.init_process_group('gloo', f'file://{folder}/meeting', rank=rank, world_size=2)
    wrapper = dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)
    try:
        train(folder / 'w', launcher='pytorch', cfg=dict(model_wrapper_cfg=wrapper))
    except RunFailed as error:
        (folder / f'rank{rank}').write_text(str(error))


def test_all_processes_stop_together(tmp_path):
    torch.multiprocessing.start_processes(_one_of_two, (tmp_path,), nprocs=2, start_method='fork')
    told = [(tmp_path / f'rank{rank}').read_text() for rank in (0, 1)]
    assert told[0] == told[1] and 'loss_cls nan' in told[0] and 'pictures/5.jpg' in told[0]
