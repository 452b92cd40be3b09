"""The paper's pools: members, coefficients, resources, groups."""
from functools import cache
from statistics import fmean, pstdev

import pytest

from lcvision.errors import UserError
from lcvision.papers import ELITE
from lcvision.search.make_plan import find_pool, group_members, pool_members
from lcvision.search.pool import DEPTHS, SIZES, WIDTHS, coefficients, side


@cache
def members_of(name):
    return pool_members(find_pool(name))


@pytest.fixture(params=['elite', 'elite_hf', 'cifar10'])
def pool(request):
    return request.param, find_pool(request.param), members_of(request.param)


def test_coefficients_follow_from_the_equations():
    found = coefficients()
    assert found['operators'] == [18, 17, 15, 12] and found['depth'] == list(DEPTHS)
    assert found['width'] == pytest.approx(WIDTHS, abs=1e-3)
    assert [side(size) for size in found['size']] == list(SIZES)


def test_resources_are_those_of_the_papers_table(pool):
    name, _, members = pool
    printed = {row.config: row for row in ELITE.rows}
    found = [member for member in members if member.title != member.name]
    assert [len(found), len(members)] == {'elite': [10, 64], 'elite_hf': [6, 32], 'cifar10': [0, 16]}[name]
    for member in found:
        row = printed[member.title.lower()]
        assert f'{member.macs / 1e6:.2f}' == f'{float(row.flops):.2f}'
        if member.title != 'eLite4':  # the table has HF1's
            assert round(member.params / 1e6, 2) == float(row.params)


def test_every_group_has_exactly_one_of_the_papers_champions(pool):
    name, found, members = pool
    loaded, groups = group_members(members, ('params', 'macs'), found.group_size)
    titles = [[loaded[one].title for one in group if loaded[one].title != loaded[one].name] for group in groups]
    assert titles == {'elite': [[f'eLite{number}'] for number in range(2, 10)],
                      'elite_hf': [[f'HF{number}'] for number in range(6)] + [[], []],
                      'cifar10': [[]] * 4}[name]
    sizes = {'elite': [6] + [8] * 7, 'elite_hf': [4] * 8, 'cifar10': [4] * 4}[name]
    assert list(map(len, groups)) == sizes


def test_statistics_of_the_pool_as_far_as_they_can_be_reproduced():
    params, macs = ([getattr(member, kind) / 1e6 for member in members_of('elite')] for kind in ('params', 'macs'))
    # The paper prints 3.1 and 1.2, and for FLOPs 153.4 and 90.8.
    assert (round(fmean(params), 2), round(pstdev(params), 2)) == (3.09, 1.19)
    assert (round(fmean(macs), 1), round(pstdev(macs), 1)) == (164.0, 87.5)


def test_a_pool_of_ones_own(tmp_path):
    path = tmp_path / 'pool.json'
    path.write_text('{"config": "pplcnet_0_5x_cifar10", "axes": {"model.backbone.scale": [0.5, 0.25]}, '
                    '"group_size": 2}')
    members = pool_members(find_pool(str(path)))
    assert [member.name for member in members] == ['s1', 's2']
    assert members[0].params > members[1].params
    smaller = pool_members(find_pool(str(path)), {'model.head.num_classes': 2, 'train_cfg.max_epochs': 3})
    assert smaller[0].params < members[0].params and smaller[0].options['model.head.num_classes'] == 2


@pytest.mark.parametrize(('content', 'wrong'), [
    ('{', 'is no pool'), ('{"config": "x"}', 'axes'), ('{"config": 3, "axes": {"a": [1]}, "group_size": 2}', 'config'),
    ('{"config": "x", "axes": {"a": 1}, "group_size": 2}', 'a is missing'),
    ('{"config": "x", "axes": {"a": [1]}, "group_size": 1}', 'group_size')])
def test_a_pool_that_is_none(tmp_path, content, wrong):
    path = tmp_path / 'pool.json'
    path.write_text(content)
    with pytest.raises(UserError, match=wrong):
        find_pool(str(path))
    with pytest.raises(UserError, match='give one of elite, elite_hf, cifar10'):
        find_pool('elit')
