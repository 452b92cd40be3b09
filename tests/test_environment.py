import json
import math

import pytest
import torch
from torch import nn

from lcvision import environment
from lcvision.timing.rounds import flushes_subnormals


def test_collect_is_json_and_complete():
    found = json.loads(json.dumps(environment.collect(), allow_nan=False))
    assert found['cores'] >= found['affinity'] >= found['usable_threads'] >= 1
    assert found['versions']['torch'] == torch.__version__.split()[0]
    assert found['versions']['onednn']
    assert {'cpu', 'flags', 'cgroup_quota', 'governor', 'load_average', 'git_revision'} <= found.keys()


def test_cpu_of_a_known_cpuinfo():
    found = environment.cpu('processor\t: 0\nmodel name\t: Xeon Gold 6148\nflags\t\t: fpu avx2 avx512f ht\n')
    assert found['cpu'] == 'Xeon Gold 6148'
    assert found['flags'] == ['avx2', 'avx512f']


def test_machines_of_one_name_have_different_fingerprints():
    text = 'vendor_id\t: AuthenticAMD\ncpu family\t: {}\nmodel\t\t: 2\nmodel name\t: AMD EPYC\nstepping\t: 1\n'
    zen5, zen4 = (environment.cpu(text.format(family) + 'flags\t: avx2 hypervisor\n') for family in (26, 25))
    assert zen5['cpu'] == zen4['cpu'] == 'AMD EPYC' and zen5['cpu_id'] == 'AuthenticAMD 26 2 1' != zen4['cpu_id']
    more = environment.cpu(text.format(26) + 'flags\t: avx2 hypervisor invpcid\n')
    assert more['flags'] == zen5['flags'] and more['flags_hash'] != zen5['flags_hash'] and more['hypervisor']
    arm = environment.cpu('CPU implementer\t: 0x41\nCPU variant\t: 0x1\nCPU part\t: 0xd40\nCPU revision\t: 1\n')
    assert arm['cpu_id'] == '0x41 0x1 0xd40 1'


def test_largest_cache(tmp_path):
    for index, size in enumerate(('48K', '1024K', '32M')):
        (tmp_path / f'cpu0/cache/index{index}').mkdir(parents=True)
        (tmp_path / f'cpu0/cache/index{index}/size').write_text(f'{size}\n')
    assert environment.largest_cache(str(tmp_path)) == 32 << 20 and environment.largest_cache(str(tmp_path / 'a')) == 0


def test_quota_v2_takes_the_tightest_on_the_way_up(tmp_path):
    inner = tmp_path / 'slice' / 'box'
    inner.mkdir(parents=True)
    (inner / 'cpu.max').write_text('400000 100000\n')
    (tmp_path / 'slice' / 'cpu.max').write_text('150000 100000\n')
    assert environment.cgroup_quota('0::/slice/box\n', str(tmp_path)) == 1.5


def test_quota_v1(tmp_path):
    folder = tmp_path / 'cpu,cpuacct' / 'docker'
    folder.mkdir(parents=True)
    (folder / 'cpu.cfs_quota_us').write_text('250000')
    (folder / 'cpu.cfs_period_us').write_text('100000')
    assert environment.cgroup_quota('4:cpu,cpuacct:/docker\n', str(tmp_path)) == 2.5
    (folder / 'cpu.cfs_quota_us').write_text('-1')
    assert environment.cgroup_quota('4:cpu,cpuacct:/docker\n', str(tmp_path)) is None


def test_quota_at_the_mount_of_a_container(tmp_path):
    (tmp_path / 'cpu.max').write_text('max 100000')
    assert environment.cgroup_quota('0::/host/only\n', str(tmp_path)) is None
    (tmp_path / 'cpu.max').write_text('200000 100000')
    assert environment.cgroup_quota('0::/host/only\n', str(tmp_path)) == 2


@pytest.mark.parametrize('line, text, seconds', [
    ('0::/box\n', 'nr_periods 9\nnr_throttled 3\nthrottled_usec 1500000\n', 1.5),
    ('4:cpu:/box\n', 'nr_periods 9\nnr_throttled 3\nthrottled_time 2500000000\n', 2.5)])
def test_throttled_seconds(tmp_path, line, text, seconds):
    folder = tmp_path / ('cpu/box' if 'cpu' in line else 'box')
    folder.mkdir(parents=True)
    assert environment.throttled_seconds(line, str(tmp_path)) == 0
    (folder / 'cpu.stat').write_text(text)
    assert environment.throttled_seconds(line, str(tmp_path)) == pytest.approx(seconds)


def test_cores_are_the_cpus_that_share_one(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, 'affinity', lambda: [0, 1, 2, 7])
    for cpu, siblings in ((0, '0,4'), (1, '1-2'), (2, '1-2')):
        (tmp_path / f'cpu{cpu}/topology').mkdir(parents=True)
        (tmp_path / f'cpu{cpu}/topology/thread_siblings_list').write_text(f'{siblings}\n')
    assert environment.cores(str(tmp_path)) == [{0, 4}, {1, 2}, {7}]


@pytest.mark.parametrize('quota, expected', [(None, 4), (1.5, 1), (0.5, 1), (3., 3), (64., 4)])
def test_usable_threads(monkeypatch, quota, expected):
    monkeypatch.setattr(environment, 'affinity', lambda: [0, 1, 2, 3])
    monkeypatch.setattr(environment, 'cgroup_quota', lambda: quota)
    assert environment.usable_threads() == expected


def test_config_hash_sees_values_and_not_their_order():
    assert environment.config_hash(dict(a=1, b=(2,))) == environment.config_hash(dict(b=[2], a=1))
    assert environment.config_hash(dict(a=1)) != environment.config_hash(dict(a=2))


def test_weights_hash_sees_every_weight():
    layer = nn.Linear(3, 2)
    before = environment.weights_hash(layer)
    assert before == environment.weights_hash(layer)
    with torch.no_grad():
        layer.bias[1] += 1e-3
    assert environment.weights_hash(layer) != before


def test_weights_hash_takes_scalars_and_empty_tensors():
    norm = nn.BatchNorm2d(4)
    norm.register_buffer('none', torch.empty(0))
    assert len(environment.weights_hash(norm)) == 16


@pytest.mark.parametrize('flushing', [False, True])
def test_count_subnormals(flushing):
    kept = flushes_subnormals()
    layer = nn.Linear(4, 1, bias=False)
    try:
        torch.set_flush_denormal(False)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor([[0., 1e-40, -1e-39, math.pi]]))
        torch.set_flush_denormal(flushing)
        assert environment.count_subnormals(layer) == 2
        assert environment.count_subnormals(nn.BatchNorm2d(3)) == 0
    finally:
        torch.set_flush_denormal(kept)
