"""Profiles as tables that fit a terminal of 100 columns."""
from collections.abc import Sequence

from lcvision.latency.record import LatencyRecord
from lcvision.latency.table import format_ms
from lcvision.text import WIDTH, table

_HEADS = ('layer', 'kernel', 'shape', 'us', 'share', 'GFLOP/s', 'peak', '')
_MARKS = {'reference': '!', 'reorder': '~', 'outside oneDNN': 'o'}
_PARTS = {'onednn': "oneDNN's kernels", 'reorders': 'reorders', 'other': 'other kernels', 'outside': 'outside kernels'}


def format_profiles(records: Sequence[LatencyRecord]) -> list[str]:
    """Lays out the profiles of those records that have one, one table after the other, in at most 100 columns."""
    profiled = [(record, record.profile) for record in records if record.profile]
    lines = [line for pair in profiled for line in ('', *_profile(*pair))]
    return [*lines, '', *_legend()] if profiled else []


def _profile(record: LatencyRecord, profile: dict) -> list[str]:
    title = (f'{record.name}, {record.engine} {record.precision}, {record.threads} thread(s), {record.size}: '
             f"{format_ms(profile['wall_ms'])} ms")
    speed = 2e-6 * (record.macs or 0) / profile['wall_ms']
    rows = table([_HEADS, *map(_cells, profile['rows'])], left=(0, 1, 2))
    lines = [title[:WIDTH], *rows, rows[1]]
    shares = profile['parts_share']
    lines.append(' + '.join(f'{text} {shares[name]:.1%}' for name, text in _PARTS.items()))
    lines += [_sum(profile, flag, text) for flag, text in (('reference', 'reference kernels'), ('reorder', 'reorders'),
                                                           ('outside oneDNN', 'layers outside oneDNN'))]
    lines.append(f"peak of one core: {profile['peak_gflops']:.0f} GFLOP/s; network: {speed:.0f} GFLOP/s, "
                 f"{speed / profile['peak_gflops'] / record.threads:.0%} of {record.threads} core(s)")
    if profile['isa']:
        lines.append(f"instruction sets of oneDNN's kernels: {', '.join(profile['isa'])}"[:WIDTH])
    if shares['outside'] < 0:
        lines.append('the kernels took longer than the inferences without log: measure on a quiet machine')
    lines += [f'noisy: {reason}'[:WIDTH] for reason in profile['noisy_because']]
    if profile['noisy_because']:
        lines.append('an interrupted inference counts its waiting as time outside kernels, so that share is too large')
    return lines


def _sum(profile: dict, flag: str, text: str) -> str:
    rows = [row for row in profile['rows'] if flag in row['flags']]
    if not rows:
        return f'{_MARKS[flag]} {text}: none'
    count, share = sum(row['count'] for row in rows), sum(row['share'] for row in rows)
    return f"{_MARKS[flag]} {text}: {count}, {share:.1%} of the time"


def _cells(row: dict) -> tuple[str, ...]:
    layer, kernel, shape = row['layer'] or '-', row['kernel'], row['shape']
    if row['source'] == 'inductor' and row['layer'] is None:
        layer, shape = shape, ''
    if 'reorder' in row['flags']:
        kernel = f'reorder {kernel}'
    if row['count'] > 1:
        shape = f"{row['count']} times"
    gflops = '' if row['gflops'] is None else f"{row['gflops']:.1f}"
    peak = '' if row['of_peak'] is None else f"{row['of_peak']:.0%}"
    return (layer, kernel, shape, f"{row['us']:.1f}", f"{row['share']:.1%}", gflops, peak,
            ''.join(_MARKS[flag] for flag in row['flags'])[:1])


def _legend() -> list[str]:
    return ['us: median of traced inferences; share: of the median inference without log, in turn with them;',
            'peak: of the best fp32 or bf16 matrix product of one core, times the threads;',
            '! reference kernel, ~ reorder (copy into another layout), o layer that torch computes without oneDNN',
            "other kernels: torch's own, timed from outside, and those that a compiler generated"]
