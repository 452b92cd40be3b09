"""The papers' comparisons of two models, beside the same comparison measured here."""
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path


@dataclass(frozen=True)
class Comparison:
    """Two models of one table.

    Args:
        config: Name of the first model's config.
        baseline: Name of the second's.
        ms: The paper's milliseconds of the first.
        baseline_ms: The paper's milliseconds of the second.
        source: Where they are printed.
    """

    config: str
    baseline: str
    ms: float
    baseline_ms: float
    source: str


_TABLE_4 = 'PP-LCNet table 4, Xeon Gold 6148, 10 threads'
COMPARISONS = (
    Comparison('picodet_pplcnet_0_5x', 'picodet_mobilenetv3_large_0_35x', 6.0, 8.1, _TABLE_4),
    Comparison('picodet_pplcnet_1x', 'picodet_mobilenetv3_large_0_75x', 7.9, 11.1, _TABLE_4),
)


def format_ratios(records: Sequence[dict]) -> list[str]:
    """Lines with our ratio and the paper's for each comparison whose two models were measured alike.

    Args:
        records: As written to JSON.
    """
    lines = []
    named = [(Path(record['config']).stem, record) for record in records]
    for comparison in COMPARISONS:
        ours = [record for name, record in named if name == comparison.config]
        theirs = [record for name, record in named if name == comparison.baseline]
        for a, b in product(ours, theirs):
            if any(a[key] != b[key] for key in ('engine', 'threads', 'precision', 'input')):
                continue
            mark = '*' if a['noisy'] or b['noisy'] else ''
            ratio = _ratio(a['latency_ms'], b['latency_ms'], mark)
            lines.append(f"  {a['engine']}, {a['threads']} thr: {ratio}; paper "
                         f'{comparison.ms / comparison.baseline_ms:.2f}  {comparison.config} / {comparison.baseline}')
    sources = ', '.join(dict.fromkeys(c.source for c in COMPARISONS))
    return [f'ratio of medians (outer bounds of both 95 % intervals) beside {sources}:', *lines] if lines else []


def _ratio(ours: dict, theirs: dict, mark: str) -> str:
    low, high = ours['ci95'][0] / theirs['ci95'][1], ours['ci95'][1] / theirs['ci95'][0]
    return f"{ours['median'] / theirs['median']:.2f}{mark} ({low:.2f}-{high:.2f})"
