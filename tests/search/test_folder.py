"""Results: whole, of this plan, counted once."""
import json
import shutil

import pytest

from lcvision.errors import UserError
from lcvision.search.folder import Folder, validations
from lcvision.search.plan import check_same, read_plan, write_plan
from lcvision.search.tournament import Unit
from tests.search.stand_in import make_plan

UNIT = Unit(0, 1, 0)
METRICS = {'accuracy/top1': [1., 2.]}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path, write_plan(tmp_path, make_plan()))


@pytest.fixture
def said(folder):
    found = []
    folder.warn = found.append
    return found


def finish(folder, unit=UNIT, metrics=METRICS, **cost):
    attempt = folder.attempt(unit)
    (attempt / f'epoch_{unit.round}.pth').write_text('state')
    (attempt / 'last_checkpoint').write_text(f'epoch_{unit.round}.pth')
    return folder.publish(unit, attempt, metrics, cost)


def test_the_first_result_stands(folder):
    first, second = folder.attempt(UNIT), folder.path / 'attempts' / 'elsewhere'
    second.mkdir()
    assert folder.publish(UNIT, first, METRICS, dict(seconds=1))
    assert not folder.publish(UNIT, second, {'accuracy/top1': [9., 9.]}, dict(seconds=2))
    assert folder.curves() == {UNIT: [1., 2.]} and folder.costs() == {UNIT: dict(seconds=1)}
    assert not second.exists() and not list((folder.path / 'attempts').iterdir())


def test_two_runs_of_a_unit_write_the_same_bytes(folder):
    found = []
    for seconds in (1, 2):
        finish(folder, seconds=seconds)
        found.append((folder.unit(UNIT) / 'result.json').read_bytes())
        shutil.rmtree(folder.unit(UNIT))
    assert found[0] == found[1]


@pytest.mark.parametrize(('change', 'sentence'), [
    (lambda content: content[:-20], r'is torn'), (lambda content: '', 'is torn'),
    (lambda content: content.replace('c000', 'c001'), 'belongs to another unit, c001'),
    (lambda content: json.dumps({**json.loads(content), 'plan': 'f00'}), 'belongs to another plan'),
    (lambda content: content.replace('1.0', 'NaN'), 'a accuracy/top1 that is no number'),
    (lambda content: content.replace('1.0,', ''), 'does not have accuracy/top1 of every validation'),
    (lambda content: '[]', 'is no result')])
def test_what_is_torn_or_foreign_does_not_count(folder, said, change, sentence):
    finish(folder)
    path = folder.unit(UNIT) / 'result.json'
    path.write_text(change(path.read_text()))
    assert folder.curves() == {} == folder.curves()
    assert len(said) == 1 and sentence in said[0] and 'trained again' in said[0]
    assert finish(folder)  # and is put aside by the next
    assert folder.curves() == {UNIT: [1., 2.]}
    assert [path.name[:8] for path in (folder.path / 'attempts').iterdir()] == ['bad-c000']


def test_a_folder_without_a_result_does_not_count(folder, said):
    folder.unit(UNIT).mkdir()
    assert folder.curves() == {} and 'torn' in said[0]


def test_attempts_of_the_dead_are_not_gone_on_with(folder):
    old = folder.attempt(UNIT)
    (old / 'epoch_1.pth').touch()
    other = folder.attempt(Unit(0, 1, 1))
    new = folder.attempt(UNIT)
    assert not old.exists() and other.exists() and not list(new.iterdir())


def test_a_unit_goes_on_from_the_newest_checkpoint_before_it(folder):
    assert folder.start(Unit(0, 3, 0)) is None
    for turn in (1, 2, 3):
        finish(folder, Unit(0, turn, 0))
    assert folder.start(Unit(0, 3, 0)) == folder.unit(Unit(0, 2, 0)) / 'epoch_2.pth'
    shutil.rmtree(folder.unit(Unit(0, 2, 0)))
    assert folder.start(Unit(0, 3, 0)) == folder.unit(Unit(0, 1, 0)) / 'epoch_1.pth'
    assert folder.start(Unit(0, 1, 0)) is None


def test_checkpoints_are_removed_when_nobody_needs_them(folder):
    for unit in (Unit(0, 1, 0), Unit(0, 2, 0), Unit(0, 3, 0), Unit(1, 1, 0), Unit(2, 1, 0)):
        finish(folder, unit)
    folder.refresh()
    (folder.path / 'leases').mkdir()
    (folder.path / 'leases' / str(Unit(2, 2, 0))).touch()  # another process goes on with it
    folder.tidy({0})
    left = {path.parent.name for path in folder.path.glob('units/*/*.pth')}
    assert left == {'c000-s0-r002', 'c000-s0-r003', 'c002-s0-r001'}
    assert len(folder.refresh()) == 5


def test_plans(tmp_path):
    plan = make_plan()
    assert read_plan(tmp_path) is None
    written = write_plan(tmp_path, plan)
    assert written.hash == plan.hash == read_plan(tmp_path).hash
    assert write_plan(tmp_path, make_plan(children=7)).children == 2  # the first stands
    with pytest.raises(UserError, match=r'holds another search .epochs 6 there and 8 here.: give the arguments'):
        write_plan(tmp_path, make_plan(epochs=8))
    with pytest.raises(UserError, match='holds another search'):
        check_same(plan, dict(epochs=6, seeds=2), tmp_path)
    (tmp_path / 'plan.json').write_text('{"kind')
    with pytest.raises(UserError, match='is no plan that this version reads'):
        read_plan(tmp_path)


def test_validations_of_a_round():
    assert [validations(make_plan(epochs=5), turn) for turn in (1, 2, 3)] == [2, 2, 1]


def test_fewer_units_have_more_threads():
    plan = make_plan(groups=((0, 1, 2, 3),), children=4, seeds=1)
    assert [plan.threads_in(turn) for turn in (1, 2, 3, 9)] == [1, 2, 4, 4]
    assert make_plan(groups=((0, 1, 2, 3),), children=1, seeds=1).threads_in(3) == 1
