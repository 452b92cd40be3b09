"""The picture of a search."""
from lcvision.report.search_curves import draw_curves
from lcvision.search.outcome import search_outcome
from lcvision.search.tournament import Goals, next_units
from tests.search.stand_in import make_plan


def test_the_same_search_gives_the_same_picture(tmp_path):
    plan, results = make_plan(groups=((0, 1, 2, 3), (4,)), epochs=6, seeds=1), {}
    draw_curves(search_outcome(plan, results), tmp_path / 'nothing.png')  # nothing is trained yet
    while units := next_units(plan.rules, results, Goals(full=frozenset([0]))):
        results |= {unit: [10. * unit.candidate + unit.round] * 2 for unit in units}
    for name in ('first', 'second'):
        draw_curves(search_outcome(plan, results), tmp_path / f'{name}.png')
    first, second, nothing = ((tmp_path / f'{name}.png').read_bytes() for name in ('first', 'second', 'nothing'))
    assert first[1:4] == b'PNG' and first == second != nothing
