"""tools/search.py."""
import json

import pytest

from lcvision.cli import run_tool, search
from lcvision.report import make_report
from tests.search.tiny import OPTIONS, InProcess, write_images, write_pool


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp('search')
    return root, write_images(root / 'data'), write_pool(root / 'pool.json')


def call(place, *more, epochs=2):
    root, data, pool = place
    options = [f'{key}={value}' for key, value in OPTIONS.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('lcvision.search.drive.LocalExecutor', InProcess)
        patch.setattr('lcvision.search.drive._POLL_S', 0)
        return run_tool(lambda: search.main(
            ['--pool', str(pool), '--data', str(data), '--work-dir', str(root / 'run'), '--epochs', str(epochs),
             '--epochs-per-round', '1', '--threads', '1', *more, '--cfg-options', *options]))


@pytest.fixture(scope='module')
def finished(place):
    assert call(place, '--full-group', '0') == 0
    return place


def test_a_search_of_a_pool_file_is_searched_and_reported(finished, capsys):
    folder = finished[0] / 'run'
    table, found = (json.loads((folder / name).read_bytes()) for name in ('table.json', 'search.json'))
    group, = found['groups']
    assert [len(stage) for stage in group['stages']] == [2, 1] and group['champion'] in ('w1', 'w2')
    assert table.items() <= found.items() and 'cost' not in table and found['cost']['core_hours']['trained'] > 0
    assert found['model_epochs'] == dict(tournament=2, trained=4, training_all=4)
    assert found['champions_ms'].keys() == {group['champion']}
    assert (folder / 'curves.png').read_bytes()[1:4] == b'PNG'
    report = make_report([folder / 'search.json'])
    point, = report.tasks[0].points
    assert point['stem'] == f'elite9_cifar10_{group["champion"]}' and 0 <= point['accuracy'] <= 100


def test_the_same_command_trains_nothing_and_writes_the_same_table(finished, capsys):
    before = (finished[0] / 'run' / 'table.json').read_bytes()
    assert call(finished) == 0
    assert (finished[0] / 'run' / 'table.json').read_bytes() == before
    assert '  the champion is number ' in capsys.readouterr().out


@pytest.mark.parametrize(('more', 'sentence'), [
    (('--seeds', '2'), 'holds another search (seeds 1 there and 2 here): give the arguments'),
    (('--full-group', '3'), '--full-group 3: the groups are 0 to 0'),
    (('--epochs-per-round', '0'), '--epochs-per-round 0: give a whole number of at least 1'),
    (('--threads', '1000'), '1000 threads cannot run at once')])
def test_what_does_not_fit_is_told_in_a_sentence(finished, capsys, more, sentence):
    assert call(finished, *more) == 2
    told = capsys.readouterr().err
    assert sentence in told and told.count('\n') == 1


def test_a_training_too_short_for_its_groups_writes_nothing(place, tmp_path, capsys):
    assert call((tmp_path, *place[1:]), '--epochs-per-round', '3') == 2
    told = capsys.readouterr().err
    assert 'a group of 2 needs 3 epochs (3 a round) until one is left, but the training has 2' in told
    assert call((tmp_path, tmp_path / 'nothing', place[2])) == 2
    assert 'no such folder' in capsys.readouterr().err
    assert not (tmp_path / 'run').exists()


def test_a_pool_is_shown_without_data(place, capsys, tmp_path):
    arguments = ['--pool', str(place[2]), '--plan-only', '--epochs', '8', '--epochs-per-round', '2', '--work-dir',
                 str(tmp_path / 'none')]
    assert run_tool(lambda: search.main(arguments)) == 0
    told = capsys.readouterr().out
    assert '2 candidates in 1 groups; 4 model-epochs until one of each is left, 25.0 % of the 16' in told
    assert not (tmp_path / 'none').exists()
