"""Time that runs out, by a clock of the test's own."""
import pytest

from lcvision.latency.subject import TimeLimit, largest_share
from lcvision.timing.rounds import Budget


class Clock:
    now = 100.

    def __call__(self):
        return self.now


def test_preparing_ends_before_the_time_does():
    clock = Clock()
    limit = TimeLimit(60., clock=clock)
    assert limit.may_prepare(0)
    clock.now = 100 + 59
    assert not limit.may_prepare(0)


def test_numbers_of_threads_share_the_time():
    clock = Clock()
    limit = TimeLimit(60., turns=2, clock=clock)
    clock.now = 100 + 25
    assert not limit.may_prepare(0) and limit.may_prepare(1)


@pytest.mark.parametrize('needs, total, share', [([1., 2., 30.], 10., 7.), ([5., 5.], 4., 2.), ([1., 1.], 10., 9.)])
def test_the_slowest_give_first(needs, total, share):
    assert largest_share(needs, total) == share
    assert sum(min(need, share) for need in needs) <= total


def test_the_budget_fits_what_is_left():
    limit = TimeLimit(100., clock=Clock())
    wanted = Budget(samples=200, max_seconds=60.)
    quick = limit.budget(wanted, [5., 5.], 0)
    assert quick.max_seconds > 5e-3 * 200 and quick.samples == 200
    slow = limit.budget(wanted, [5., 2000., 2000.], 0)
    assert 20 < slow.max_seconds < 50 and slow.warmup_seconds <= 11
    assert limit.budget(wanted, [1e6] * 10, 0).max_seconds < 10
