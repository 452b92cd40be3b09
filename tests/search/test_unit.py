"""A round trains as a part of the whole training does."""
import time

import pytest
import torch

from lcvision.engine.hooks.atomic_checkpoint_hook import last_checkpoint
from lcvision.search.executors.local import Child
from lcvision.search.folder import Folder
from lcvision.search.make_plan import find_pool, plan_search
from lcvision.search.plan import read_plan, write_plan
from lcvision.search.tournament import Unit
from lcvision.search.unit import run_unit, train_unit
from tests.search.tiny import OPTIONS, write_images, write_pool


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp('search')
    data, pool = write_images(root / 'data'), find_pool(str(write_pool(root / 'pool.json')))
    ema = {'custom_hooks': [dict(type='lcvision.CycleEMAHook', decay=0.9)]}

    def make(name, workers=0):
        options = {**OPTIONS, **ema, 'train_dataloader.num_workers': workers}
        plan = plan_search(pool, request={}, group_by=('params', 'macs'), epochs=3, epochs_per_round=1, seeds=1,
                           data=str(data), options=options, memory_format='contiguous', threads=1, children=1,
                           engine='eager')
        folder = root / name
        folder.mkdir()
        return folder, write_plan(folder, plan)
    return make


def state(folder, unit):
    path = last_checkpoint(Folder(folder, read_plan(folder)).unit(unit))
    return torch.load(path, weights_only=False)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for key in sorted(value, key=str) for leaf in leaves(value[key])]
    return [leaf for one in value for leaf in leaves(one)] if isinstance(value, list | tuple) else [value]


@pytest.mark.parametrize('workers', [0, 1])
def test_rounds_are_the_same_as_one_training(place, workers):
    (parts, plan), (whole, _) = place(f'parts{workers}', workers), place(f'whole{workers}', workers)
    assert run_unit(parts, str(Unit(0, 1, 0)), 1).kind == 'done'
    if workers:
        assert run_unit(parts, str(Unit(0, 2, 0)), 1).kind == 'done'
    else:  # as a search does it
        child = Child(parts, str(Unit(0, 2, 0)), 1, train_unit)
        while (ending := child.poll()) is None:
            time.sleep(0.05)
        assert ending.kind == 'done', ending
    assert run_unit(whole, str(Unit(0, 2, 0)), 1).kind == 'done'  # the round before is not there: from the beginning
    first, second = (Folder(folder, plan).unit(Unit(0, 2, 0)) / 'result.json' for folder in (parts, whole))
    assert first.read_bytes() == second.read_bytes()
    ours, theirs = state(parts, Unit(0, 2, 0)), state(whole, Unit(0, 2, 0))
    assert ours['meta']['epoch'] == 2 and 'ema_state_dict' in ours
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'):
        pairs = list(zip(leaves(ours[part]), leaves(theirs[part]), strict=True))
        assert pairs and all(torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in pairs
                             if isinstance(a, int | float | torch.Tensor)), part
    rates = [group['lr'] for group in ours['optimizer']['param_groups']]
    assert 0 < rates[0] < plan.epochs  # the schedule of all three epochs goes on


def test_random_numbers_differ_from_epoch_to_epoch_and_seed_to_seed(place):
    folder, _ = place('seeds')
    for unit in (Unit(0, 1, 0), Unit(0, 1, 1)):
        assert run_unit(folder, str(unit), 1).kind == 'done'
    weights = [state(folder, Unit(0, 1, seed))['state_dict']['backbone.stem.conv.weight'] for seed in (0, 1)]
    assert not torch.equal(*weights)


def test_a_users_mistake_is_told_as_it_is(place):
    folder, _ = place('wrong')
    ending = run_unit(folder, 'c9-r1', 1)
    assert (ending.kind, ending.exit_code) == ('failed', 2) and 'is no unit' in ending.sentence
