from dataclasses import replace

from lcvision.latency.profiler.kernel import Kernel, median_kernels
from lcvision.latency.profiler.profile_benchmark import profile_rows
from lcvision.latency.profiler.profile_table import format_profiles
from lcvision.latency.record import LatencyRecord, Summary

KERNELS = [
    Kernel('onednn', 'reorder', 'jit:blk', 'backbone.stem', '16x3x3x3', 4.),
    Kernel('onednn', 'reorder', 'jit:uni', 'backbone.stem', '1x16x8x8', 6.),
    Kernel('onednn', 'convolution', 'brg_conv_fwd', 'backbone.stem', '3x3/2 3>16 112x112', 100., 5_000_000, 'avx2'),
    Kernel('torch', 'hardswish', 'hardswish', 'backbone.act', '', 10.),
    Kernel('onednn', 'convolution', 'ref:any', 'a.very.deep.module.with.a.long.name.conv', '1x1 8>8 4x4', 200., 1024,
           None, True),
    Kernel('torch', 'hardswish', 'hardswish', 'head.act', '', 20.),
    Kernel('torch', 'linear', 'outside oneDNN', 'head.fc', '1280>1000', 50., 1_280_000),
    Kernel('inductor', 'generated', 'generated', None, 'cpp_fused_addmm_mean_mul_permute_relu_sigmoid_view_0', 5.),
]


PLAIN = LatencyRecord(config='configs/net.py', task='classification', engine='eager', precision='fp32', threads=2,
                      input=[64, 64], macs=10_000_000, latency_ms=Summary(1., (1., 1.)))


def record(kernels=KERNELS, outside=0.605):
    shares = {'onednn': 0.3, 'reorders': 0.01, 'other': 0.085, 'outside': outside}
    return replace(PLAIN, profile={
        'wall_ms': 1., 'samples': 30, 'traced': 30, 'parts_share': shares, 'peak_gflops': 100., 'isa': ['avx2'],
        'noisy_because': [], 'rows': profile_rows(kernels, 1., 200.)})


def test_rows_share_and_flag():
    rows = profile_rows(KERNELS, 1., 200.)
    assert [(row['layer'], row['count'], row['us'], row['flags']) for row in rows] == [
        ('backbone.stem', 2, 10., ['reorder']), ('backbone.stem', 1, 100., []),
        ('a.very.deep.module.with.a.long.name.conv', 1, 200., ['reference']),
        ('head.fc', 1, 50., ['outside oneDNN']), (None, 1, 5., []), (None, 2, 30., [])]
    assert rows[1]['share'] == 0.1 and rows[1]['gflops'] == 100. and rows[1]['of_peak'] == 0.5
    assert rows[0]['gflops'] is None and rows[0]['shape'] == '1x16x8x8'


def test_reorders_of_unknown_layers_stay_apart():
    rows = profile_rows([Kernel('onednn', 'reorder', 'jit:blk', None, shape, 1.) for shape in 'aab'], 1., 1.)
    assert [(row['shape'], row['count']) for row in rows] == [('a', 2), ('b', 1)]


def test_table_fits_and_says_what_matters():
    lines = format_profiles([record(), PLAIN])
    assert max(map(len, lines)) <= 100
    text = '\n'.join(lines)
    assert 'net, eager fp32, 2 thread(s), 64x64: 1.00 ms' in text and 'plain' not in text
    assert 'outside kernels 60.5%' in text
    assert '! reference kernels: 1, 20.0% of the time' in text
    assert '~ reorders: 2, 1.0% of the time' in text
    assert 'o layers outside oneDNN: 1, 5.0% of the time' in text
    assert 'peak of one core: 100 GFLOP/s; network: 20 GFLOP/s, 10% of 2 core(s)' in text
    stem, = (line for line in lines if 'brg_conv_fwd' in line)
    assert stem.split() == ['backbone.stem', 'brg_conv_fwd', '3x3/2', '3>16', '112x112', '100.0', '10.0%', '100.0',
                            '50%']
    assert next(line for line in lines if 'ref:any' in line).endswith(' !')
    assert next(line for line in lines if 'name.conv' in line).startswith('a.very.dee~ith.a.long.name.conv ')
    assert 'took longer' not in text


def test_what_cannot_be_is_said():
    text = '\n'.join(format_profiles([record(outside=-0.1)]))
    assert 'measure on a quiet machine' in text and '! reference kernels: 1' in text
    assert 'reference kernels: none' in '\n'.join(format_profiles([record(KERNELS[:4])]))


def test_no_profile_no_lines():
    assert format_profiles([PLAIN]) == []


def test_median_of_like_traces():
    def trace(us, name='a'):
        return [Kernel('onednn', 'convolution', name, None, '', us), Kernel('torch', 'add', 'add', None, '', 1.)]

    first, second = median_kernels([trace(1.), trace(9.), trace(50., 'odd'), trace(2.)])
    assert (first.name, first.us, second.us) == ('a', 2., 1.)
