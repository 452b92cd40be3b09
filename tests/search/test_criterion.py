"""The criterion and how it is judged."""
import pytest

from lcvision.errors import UserError
from lcvision.search.criterion import judge_criterion, kendall_tau


def crossing_curves():
    """Four models over 350 epochs: two change places in the first 12, and at the end of 12 later rounds."""
    curves = [[50. + model] * 350 for model in range(4)]
    for epoch in [*range(12), *(10 * turn - 1 for turn in range(3, 15))]:
        curves[0][epoch], curves[1][epoch] = curves[1][epoch], curves[0][epoch]
    return curves


def test_shares_are_the_papers_for_curves_that_are_made_so():
    last, average = (judge_criterion(crossing_curves(), 10, name) for name in ('last', 'average'))
    assert (last['agreeing'], last['rounds'], f"{last['p']:.0%}") == (22, 35, '63%')
    assert (average['agreeing'], average['rounds'], f"{average['p']:.0%}") == (33, 35, '94%')
    assert average['tau'][1:3] == pytest.approx([2 / 3, 1])


def test_last_round_may_be_shorter():
    assert judge_criterion([[1, 2, 3], [0, 1, 2]], 2, 'average')['rounds'] == 2


def test_kendalls_tau():
    assert kendall_tau([1, 2, 3], [10, 20, 30]) == 1
    assert kendall_tau([1, 2, 3], [3, 2, 1]) == -1
    assert kendall_tau([1, 1, 2], [1, 2, 3]) == pytest.approx(2 / 6**0.5)  # tau-b
    assert kendall_tau([1, 1], [1, 2]) == 0


@pytest.mark.parametrize('curves', [[[1.]], [[1.], [1., 2.]]])
def test_curves_must_go_together(curves):
    with pytest.raises(UserError, match='equal length'):
        judge_criterion(curves, 1, 'last')
