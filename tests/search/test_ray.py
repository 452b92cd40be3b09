"""The same search on Ray."""
import json

import pytest

from lcvision.errors import UserError
from lcvision.search.drive import run_plan
from lcvision.search.outcome import search_outcome
from lcvision.search.plan import write_plan
from lcvision.search.tournament import Goals
from tests.search import stand_in

GOALS = Goals(champions=True, full=frozenset([0]))


def test_without_ray_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'ray', None)
    with pytest.raises(UserError, match=r"pip install 'lcvision\[ray\]', or take --executor local"):
        run_plan(tmp_path, write_plan(tmp_path, stand_in.make_plan()), GOALS, executor='ray')


def test_the_table_is_that_of_local_processes(tmp_path):
    pytest.importorskip('ray', reason='Ray is an extra')
    tables = []
    for executor in ('local', 'ray'):
        (tmp_path / executor).mkdir()
        plan = write_plan(tmp_path / executor, stand_in.make_plan(seeds=1))
        folder = run_plan(tmp_path / executor, plan, GOALS, executor=executor, training=stand_in.train)
        tables.append(json.dumps(search_outcome(plan, folder.curves())))
    assert tables[0] == tables[1]
