"""Stands in for a training: a number that depends on all that came before, in milliseconds instead of minutes."""
import hashlib
import json
import os
import sys
import time
from pathlib import Path

from lcvision.errors import RunFailed, UserError
from lcvision.search import drive
from lcvision.search.plan import Member, Plan, read_plan
from lcvision.search.tournament import Goals
from lcvision.search.unit import Training, train_unit


def make_plan(groups=((0, 1, 2, 3), (4, 5, 6)), epochs=6, per_round=2, seeds=2, **settings) -> Plan:
    """A plan whose configs nobody reads."""
    size = sum(map(len, groups))
    members = [Member(f'm{place}', f'm{place}', 'none', {}, 1000 + place, 2000 + place, load=float(place))
               for place in range(size)]
    return Plan('search', members, [list(group) for group in groups], epochs, per_round, seeds, 'accuracy/top1', '', {},
                'contiguous', 1, settings.pop('children', 2), 1, dict(epochs=epochs), **settings)


def train(plan, unit, start, folder, threads) -> dict[str, list]:
    """Goes on from the state in a checkpoint; waits as the environment says.

    STAND_IN_SECONDS: so long in every epoch; STAND_IN_HOLD: after the first round as long as this file is there.
    """
    while unit.round > 1 and Path(os.environ.get('STAND_IN_HOLD', '/nowhere')).exists():
        time.sleep(0.01)
    state = json.loads(start.read_text()) if start else dict(epoch=0, value='')
    metrics = []
    while state['epoch'] < plan.rules.end(unit.round):
        time.sleep(float(os.environ.get('STAND_IN_SECONDS', '0')))
        epoch = state['epoch'] + 1
        value = hashlib.sha256(f'{unit.candidate} {unit.seed} {epoch} {state["value"]}'.encode()).hexdigest()
        state = dict(epoch=epoch, value=value)
        metrics.append(int(value[:6], 16) % 10000 / 100)
    (folder / f'epoch_{state["epoch"]}.pth').write_text(json.dumps(state))
    (folder / 'last_checkpoint').write_text(f'/elsewhere/epoch_{state["epoch"]}.pth')
    return {plan.metric: metrics[-plan.rules.length(unit.round):]}


def fail(plan, unit, start, folder, threads) -> dict[str, list]:
    """A mistake of the user's, noticed late."""
    raise UserError('the data are wrong')


def diverge(plan, unit, start, folder, threads) -> dict[str, list]:
    """Some networks do."""
    if unit.candidate == 1:
        raise RunFailed('training diverged before iteration 7')
    return train(plan, unit, start, folder, threads)


def fill_disk(plan, unit, start, folder, threads) -> dict[str, list]:
    """No file may be longer than the result is."""
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    (folder / 'epoch_1.pth').write_bytes(b'0' * 1000)
    return {}


def fill_disk_at_the_end(plan, unit, start, folder, threads) -> dict[str, list]:
    """The result itself does not fit."""
    import resource
    metrics = train(plan, unit, start, folder, threads)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
    return metrics


def die(plan, unit, start, folder, threads) -> dict[str, list]:
    """Dies without a word."""
    os.kill(os.getpid(), 9)
    return {}


def main() -> None:
    """A driver: folder, children and, for the truth of group 0, 'full'."""
    folder, children, *full = sys.argv[1:]
    drive._POLL_S, drive._OTHERS_S = 0.01, 0.1
    training: Training = train_unit if os.environ.get('STAND_IN_REAL') else train
    plan = read_plan(Path(folder))
    assert plan
    drive.run_plan(Path(folder), plan, Goals(True, frozenset([0]) if full else frozenset()), children=int(children),
                   training=training)


if __name__ == '__main__':
    from tests.search import stand_in  # so that its functions have a name that children find
    stand_in.main()
