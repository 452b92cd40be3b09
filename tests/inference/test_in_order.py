"""Work on several items at a time."""
import threading

import pytest

from lcvision.inference.in_order import in_order


def test_results_come_in_order_from_all_threads():
    meeting, names = threading.Barrier(3, timeout=30), set()

    def work(item):
        names.add(threading.current_thread().name)
        meeting.wait()
        return item * 10

    assert list(in_order(work, range(9), 3)) == list(range(0, 90, 10))
    assert len(names) == 3


@pytest.mark.parametrize('threads, ahead', [(1, 1), (2, 6)])
def test_few_items_are_taken_ahead_of_the_results(threads, ahead):
    taken = []
    results = in_order(lambda item: item, (taken.append(item) or item for item in range(100)), threads)
    assert [next(results), next(results)] == [0, 1] and len(taken) == ahead + 1
    results.close()
    assert len(taken) == ahead + 1


@pytest.mark.parametrize('threads', [1, 2])
def test_an_error_comes_at_its_place_and_ends_the_rest(threads):
    done = []

    def work(item):
        if item == 3:
            raise ValueError('the fourth')
        done.append(item)
        return item

    results = in_order(work, range(1000), threads)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match='the fourth'):
        next(results)
    assert list(results) == [] and len(done) < 12


def test_ctrl_c_does_not_wait_for_what_has_not_begun():
    begun, go_on = [], threading.Event()

    def items():
        yield from range(5)
        threading.Timer(0.3, go_on.set).start()
        raise KeyboardInterrupt

    def work(item):
        begun.append(item)
        go_on.wait(30)

    with pytest.raises(KeyboardInterrupt):
        list(in_order(work, items(), 2))
    assert begun == [0, 1]
