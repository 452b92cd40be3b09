"""Records as a table that fits a terminal of 100 columns."""
import re
from collections.abc import Sequence

from lcvision.latency.record import SCOPES, LatencyRecord
from lcvision.text import WIDTH, shorten, table

_HEADS = ('model', 'params', 'MACs', 'input', 'thr', 'engine', 'scope', 'median', 'p10-p90', 'first', '')
_SCOPE = _HEADS.index('scope')
_RATES = ('model', 'params', 'MACs', 'input', 'thr', 'engine', 'streams', 'images/s', '95 %', 'p10-p90', '')


def format_table(records: Sequence[LatencyRecord], environment: dict) -> str:
    """Lays out one or more records in at most 100 columns, with a legend and the machine below."""
    rates = any(record.images_per_s for record in records)
    rows = [_RATES if rates else _HEADS, *map(_row, records)]
    if not rates and not any(record.scope == 'e2e' for record in records):
        rows = [(*row[:_SCOPE], *row[_SCOPE + 1:]) for row in rows]
    return '\n'.join([*table(rows, left=(0, 5)), '', *_legend(records), *describe_machine(environment)])


def format_ms(value: float | None) -> str:
    """Three digits that matter; '-' for None."""
    if value is None:
        return '-'
    return f'{value:.2f}' if value < 10 else f'{value:.1f}' if value < 100 else f'{value:.0f}'


def format_count(value: float | None) -> str:
    """Three digits and K, M or G; '-' for None."""
    if value is None:
        return '-'
    for unit, size in (('G', 1e9), ('M', 1e6), ('K', 1e3)):
        if value >= size:
            return f'{value / size:.3g}{unit}' if value < 999.5 * size else f'{value / size:.0f}{unit}'
    return f'{value:.0f}'


def describe_machine(environment: dict) -> list[str]:
    """CPU, limits and versions in a line, and the instruction sets in a second one."""
    flags = [flag for flag in environment['flags'] if flag.startswith(('avx', 'amx', 'sve'))]
    versions, quota = environment['versions'], environment['cgroup_quota']
    limits = f"{environment['affinity']} of {environment['cores']} CPUs" + (f', quota {quota:g}' if quota else '')
    return [f"{environment['cpu']} ({limits}), torch {versions['torch']}, oneDNN {versions['onednn']}, "
            f"lcvision {versions['lcvision']}"[:WIDTH], *([' '.join(flags)[:WIDTH]] if flags else [])]


def _row(record: LatencyRecord) -> tuple[str, ...]:
    ms, rate = record.latency_ms, record.images_per_s
    first = (record.name, format_count(record.params), format_count(record.macs), record.size, str(record.threads),
             record.engine + f' {record.precision}' * (record.precision != 'fp32'))
    mark = '*' * record.noisy
    if rate:
        return (*first, str(record.streams or '?'), format_ms(rate.median), _span(*rate.ci95),
                _span(rate.p10, rate.p90), mark)
    return *first, record.scope, format_ms(ms.median), _span(ms.p10, ms.p90), format_ms(record.first_ms), mark


def _span(*ends: float | None) -> str:
    return '-'.join(format_ms(end) if end else '?' for end in ends)


def _legend(records: Sequence[LatencyRecord]) -> list[str]:
    counts = sorted({record.samples or 0 for record in records})
    samples = f'{counts[0]}' if len(counts) == 1 else f'{counts[0]}-{counts[-1]}'
    scopes = ' and '.join(words for scope, words in SCOPES.items() if scope in {record.scope for record in records})
    precisions = ', '.join(sorted({record.precision for record in records}))
    lines = [f'images per second, {scopes}, {precisions}, batch 1, {samples} samples a row;',
             'thr = threads, streams = images at a time, input = height x width, 95 % = confidence interval'
             ] if records[0].images_per_s else [
                 f'ms for one image, {scopes}, {precisions}, batch 1, {samples} samples a row;',
                 'thr = threads, input = height x width, first = first inference (compilation apart)']
    surroundings = [record for record in records if record.scope == 'e2e']
    if surroundings:
        lines += ['e2e: from an encoded image in memory to final boxes, label map or class',
                  *(line for record in surroundings for line in _surroundings(record, records))]
    compiled = [record.compile_s for record in records if record.compile_s is not None]
    if compiled:
        lines.append(f'compilation took {min(compiled):.1f} to {max(compiled):.1f} s a row')
    if any(record.noisy for record in records):
        lines.append('* noisy, measure again on a quiet machine; at worst:')
        lines += [f'    {reason}' for reason in _worst_reasons(records)]
    if any(record.latency_ms.p90 is None for record in records):
        lines.append(f"{'p10' if records[0].images_per_s else 'p90'} needs 64 samples: ? where there are fewer")
    return lines


def _surroundings(record: LatencyRecord, records: Sequence[LatencyRecord]) -> list[str]:
    """What the network's surroundings take, where the network's own row is beside this one."""
    stages = ', '.join(f'{name} {format_ms(ms)}' for name, ms in (record.stages_ms or {}).items() if name != 'network')
    name = shorten(f'{record.name}, {record.engine}, {record.threads} thr', 46)
    alike = (record.config, *record.conditions[:-1], 'net')
    return [f'    {name}: e2e - net {format_ms(record.latency_ms.median - net.latency_ms.median)} ({stages})'
            for net in records if (net.config, *net.conditions) == alike][:1]


def _worst_reasons(records: Sequence[LatencyRecord]) -> list[str]:
    worst: dict[str, tuple[float, str]] = {}
    for reason in (reason for record in records for reason in record.noisy_because):
        number = re.search(r'\d+(\.\d+)?', reason)
        size, kind = float(number[0]) if number else 0., re.sub(r'[-+]?\d+(\.\d+)?', '#', reason)
        worst[kind] = max(worst.get(kind, (0., reason)), (size, reason))
    return [reason for _, reason in worst.values()]
