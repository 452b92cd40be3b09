import pytest

from lcvision.latency.record import LatencyRecord
from lcvision.latency.table import WIDTH, format_count, format_ms, format_table

ENVIRONMENT = dict(cpu='Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz', flags=['avx2', 'fma', 'avx512f'], cores=40,
                   affinity=10, cgroup_quota=8., versions=dict(torch='2.13.0', onednn='3.12.0', lcvision='0.1.0'))


def record(name='picodet_pplcnet_1x', median=7.9, noisy=False, samples=200, **changes):
    base = dict(config=f'configs/detection/{name}.py', task='detection', engine='inductor', precision='fp32',
                threads=10, input=[416, 416], params=1210000, macs=709_000_000, samples=samples, first_ms=51.2,
                compile_s=12., latency_ms=dict(median=median, p10=median * .9, ci95=[median * .99, median * 1.01],
                                               p90=median * 1.2 if samples >= 64 else None),
                noisy=noisy, noisy_because=['3.0 involuntary context switches a CPU second'] if noisy else [])
    return LatencyRecord.from_json(base | changes, 'here')


@pytest.mark.parametrize('value, text', [(0.123, '0.12'), (9.99, '9.99'), (12.34, '12.3'), (134.6, '135'), (None, '-')])
def test_format_ms(value, text):
    assert format_ms(value) == text


@pytest.mark.parametrize('value, text', [(950, '950'), (418784, '419K'), (1.21e6, '1.21M'), (29.6e9, '29.6G'),
                                         (999.7e3, '1000K')])
def test_format_count(value, text):
    assert format_count(value) == text


def test_table_shows_every_number():
    text = format_table([record()], ENVIRONMENT)
    row = next(line for line in text.splitlines() if line.startswith('picodet'))
    assert row.split() == ['picodet_pplcnet_1x', '1.21M', '709M', '416x416', '10', 'inductor', '7.90', '7.11-9.48',
                           '51.2']
    assert 'Gold 6148' in text and 'quota 8' in text and 'avx512f' in text and '200 samples' in text
    assert 'noisy' not in text


def test_throughput_is_shown_in_images_per_second():
    text = format_table([record(median=2., hint='throughput', streams=2, noisy=True),
                         record('b', median=4., hint='throughput', samples=30)], ENVIRONMENT)
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.startswith(('picodet', 'b '))}
    assert rows['picodet_pplcnet_1x'][6:] == ['2', '500', '495-505', '417-556', '*']
    assert rows['b'][6:] == ['?', '250', '248-253', '?-278']
    assert 'images per second, network only, fp32, batch 1' in text and 'p10 needs 64 samples' in text
    assert 'ms for one image' not in text and max(map(len, text.splitlines())) <= WIDTH


def test_one_network_at_two_resolutions_has_two_rows():
    name = 'deeplabv3plus_pplcnet_0_5x'
    records = [record(name, input=[512, 1024]), record(name, 400., input=[1024, 2048])]
    rows = [line.split() for line in format_table(records, ENVIRONMENT).splitlines() if line.startswith(name)]
    assert [(row[3], row[6]) for row in rows] == [('512x1024', '7.90'), ('1024x2048', '400')]


@pytest.mark.parametrize('scopes, words', [
    (['net'], 'network only,'), (['e2e'], 'ms for one image, image to result,'),
    (['net', 'e2e'], 'network only and image to result,')])
def test_the_legend_names_the_scopes_that_were_measured(scopes, words):
    records = [record(scope=scope, stages_ms=dict(decode=1.)) for scope in scopes]
    text = format_table(records, ENVIRONMENT)
    assert words in text and ('network only' in text) == ('net' in scopes)
    assert max(map(len, text.splitlines())) <= WIDTH


def test_noise_is_marked_and_explained_once():
    worse = record('b', noisy=True)
    worse.noisy_because = ['12.5 involuntary context switches a CPU second']
    text = format_table([record('a', noisy=True), worse, record('c')], ENVIRONMENT)
    marks = {line.split()[0]: line.endswith('*') for line in text.splitlines() if line.startswith(('a ', 'b ', 'c '))}
    assert marks == {'a': True, 'b': True, 'c': False}
    assert '12.5 involuntary' in text and '3.0 involuntary' not in text


def test_few_samples_have_no_p90():
    text = format_table([record(samples=30), record('b')], ENVIRONMENT)
    assert '7.11-?' in text and '30-200 samples' in text


def test_long_names_keep_their_ends_and_lines_fit():
    names = [f'deeplabv3plus_with_a_very_long_name_indeed_mobilenetv3_large_0_{width}5x' for width in (3, 7)]
    lines = format_table([record(name, 1234., noisy=True) for name in names], ENVIRONMENT).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert any('_0_35x' in line for line in lines) and any('_0_75x' in line for line in lines)
