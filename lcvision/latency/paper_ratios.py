"""The paper's comparisons of two models, beside the same comparison measured here."""
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from lcvision.latency.noise_floor import floor_of
from lcvision.latency.record import LatencyRecord, Summary
from lcvision.papers.accuracy import PAPER_MACHINE, PAPER_POINTS

_PAIRS = (
    ('pplcnet_1x', 'mobilenetv2_1x'),
    ('pplcnet_1x', 'mobilenetv3_small_1_25x'),
    ('pplcnet_0_5x', 'mobilenetv2_0_5x'),
    ('pplcnet_0_5x', 'mobilenetv3_large_0_35x'),
    ('picodet_pplcnet_0_5x', 'picodet_mobilenetv3_large_0_35x'),
    ('picodet_pplcnet_1x', 'picodet_mobilenetv3_large_0_75x'),
    ('deeplabv3plus_pplcnet_0_5x', 'deeplabv3plus_mobilenetv3_large_0_5x'),
    ('deeplabv3plus_pplcnet_1x', 'deeplabv3plus_mobilenetv3_large_0_75x'),
)


@dataclass(frozen=True)
class Comparison:
    """Two models of one table.

    Args:
        config: Name of the first model's config.
        baseline: Name of the second's.
        ms: The paper's milliseconds of the first.
        baseline_ms: The paper's milliseconds of the second.
        table: Number of the table.
    """

    config: str
    baseline: str
    ms: float
    baseline_ms: float
    table: int


def _comparisons() -> tuple[Comparison, ...]:
    points = {point.config: point for point in PAPER_POINTS}
    return tuple(Comparison(config, baseline, float(points[config].ms or math.nan),
                            float(points[baseline].ms or math.nan), points[baseline].table)
                 for config, baseline in _PAIRS)


COMPARISONS = _comparisons()


def format_ratios(records: Sequence[LatencyRecord], floors: Sequence[dict] = ()) -> list[str]:
    """Lines with our ratio and the paper's for each comparison whose two models were measured alike.

    Args:
        records: Rows; only those of scope 'net' count.
        floors: Noise floors, one for each number of threads; a ratio within them is called equal.
    """
    lines, tables = [], []
    rows = [record for record in records if record.scope == 'net']
    for comparison in COMPARISONS:
        ours = [record for record in rows if record.name == comparison.config]
        theirs = [record for record in rows if record.name == comparison.baseline]
        for a, b in product(ours, theirs):
            if a.conditions != b.conditions:
                continue
            mark = '*' if a.noisy or b.noisy else ''
            ratio = format_ratio(a.latency_ms, b.latency_ms, mark, floor_of(a, floors))
            paper = comparison.ms / comparison.baseline_ms
            lines += [f"  {a.engine}, {a.threads} thr: {ratio}; paper {paper:.2f}",
                      f'    {comparison.config} / {comparison.baseline}']
            tables.append(comparison.table)
    numbers = ', '.join(map(str, sorted(set(tables))))
    return [f'ratio of medians (outer bounds of both 95 % intervals) beside PP-LCNet table {numbers}', *lines,
            f'  paper: {PAPER_MACHINE}'] if lines else []


def format_ratio(ours: Summary, theirs: Summary, mark: str = '', floor: float = 0.) -> str:
    """A ratio of two medians with its bounds.

    Args:
        ours: Of a record.
        theirs: Of the one it is divided by.
        mark: Put behind the ratio.
        floor: Relative difference up to which the two are called equal.
    """
    ratio, low, high = ratio_bounds(ours, theirs)
    equal = ' equal' if abs(math.log(ratio)) <= math.log1p(floor) and floor else ''
    return f'{ratio:.2f}{mark} ({low:.2f}-{high:.2f}){equal}'


def ratio_bounds(ours: Summary, theirs: Summary) -> tuple[float, float, float]:
    """Ratio of two medians, and the smallest and largest that both 95 % intervals allow."""
    return ours.median / theirs.median, ours.ci95[0] / theirs.ci95[1], ours.ci95[1] / theirs.ci95[0]
