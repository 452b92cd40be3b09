"""What a candidate is judged by, and how far that can be trusted."""
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from lcvision.errors import UserError

Curve = Sequence[float]


def mean_curve(curves: Sequence[Curve]) -> list[float]:
    """The curve of a candidate over its seeds, epoch by epoch."""
    return [fmean(values) for values in zip(*curves, strict=True)]


def average(curve: Curve) -> float:
    """The paper's criterion: the mean accuracy of all epochs so far (equation 6)."""
    return fmean(curve)


def last(curve: Curve) -> float:
    """The criterion it is compared with: the accuracy of the last epoch so far."""
    return curve[-1]


CRITERIA = {'average': average, 'last': last}
"""P_avg and P_spe of the paper."""


def judge_criterion(curves: Sequence[Curve], epochs_per_round: int, criterion: str) -> dict:
    """Compares a criterion's order after each round with the order at the end of the training (equation 5).

    Args:
        curves: Accuracies of every epoch to the end, a curve a candidate, at least two.
        epochs_per_round: Epochs between two comparisons; the last round may be shorter.
        criterion: One of :data:`CRITERIA`.

    Returns:
        ``agreeing`` of ``rounds`` have the whole order right, which is the share ``p``; ``tau``, Kendall's, of each
        round.

    Raises:
        UserError: The curves have different lengths, or there are fewer than two.
    """
    lengths = set(map(len, curves))
    if len(curves) < 2 or len(lengths) != 1:
        raise UserError(f'a criterion is judged by two or more curves of equal length, got lengths {sorted(lengths)}')
    length, final = lengths.pop(), [last(curve) for curve in curves]
    ends = sorted({*range(epochs_per_round, length + 1, epochs_per_round), length})
    scores = [[CRITERIA[criterion](curve[:end]) for curve in curves] for end in ends]
    agreeing = sum(_order(one) == _order(final) for one in scores)
    return dict(agreeing=agreeing, rounds=len(ends), p=agreeing / len(ends),
                tau=[kendall_tau(one, final) for one in scores])


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float:
    """Kendall's tau-b of two rankings of the same things; 0 if one of them ranks all equal."""
    signs = [[(x > y) - (x < y) for x, y in combinations(values, 2)] for values in (first, second)]
    norm = (sum(map(abs, signs[0])) * sum(map(abs, signs[1])))**0.5
    return sum(a * b for a, b in zip(*signs, strict=True)) / norm if norm else 0.


def _order(scores: Sequence[float]) -> list[int]:
    return sorted(range(len(scores)), key=scores.__getitem__)
