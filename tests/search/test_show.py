"""What a search prints."""
import io
import json

from lcvision.search.drive import run_plan
from lcvision.search.folder import Folder
from lcvision.search.outcome import search_outcome
from lcvision.search.plan import write_plan
from lcvision.search.show import _table
from lcvision.search.summary import add_costs, describe_plan, describe_search
from lcvision.search.tournament import Goals
from tests.search import stand_in


def test_plan_progress_and_outcome(tmp_path, capsys):
    from rich.console import Console
    plan = write_plan(tmp_path, stand_in.make_plan(seeds=1))
    told = '\n'.join(describe_plan(plan))
    assert '7 candidates in 2 groups; 22 model-epochs until one of each is left, 52.4 % of the 42' in told
    assert max(map(len, told.splitlines())) <= 120
    folder = run_plan(tmp_path, plan, Goals(full=frozenset([1])), training=stand_in.train)
    assert '30 of 30 model-epochs' in capsys.readouterr().err
    outcome = search_outcome(plan, folder.curves())
    add_costs(outcome, folder)
    text = '\n'.join(describe_search(outcome))
    assert 'tournament: 22 model-epochs, 52.4% of the 42 that' in text and 'core-hours' in text
    assert 'group 1 trained to the end' in text and 'P_avg' in text and 'P_spe' in text
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(_table(plan, Folder(tmp_path, plan).curves(), 'head'))
    shown = console.export_text()
    assert 'done' in shown and json.loads(json.dumps(outcome))['groups'][0]['champion'] in shown
