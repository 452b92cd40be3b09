from lcvision.report.pareto import pareto_front, staircase


def points(*pairs):
    return [dict(median=ms, accuracy=accuracy) for ms, accuracy in pairs]


def test_front_goes_from_the_quickest_to_the_most_accurate():
    assert pareto_front(points((8, 40), (5, 30), (6, 29), (2, 10), (9, 39))) == [3, 1, 0]


def test_one_point_and_none():
    assert pareto_front(points((3, 50))) == [0]
    assert pareto_front([]) == []


def test_of_two_as_quick_the_more_accurate_stays():
    assert pareto_front(points((5, 30), (5, 31))) == [1]


def test_of_two_as_accurate_the_quicker_stays_and_equals_both():
    assert pareto_front(points((5, 30), (4, 30))) == [1]
    assert sorted(pareto_front(points((5, 30), (5, 30)))) == [0, 1]


def test_a_difference_within_the_noise_saves_nobody():
    quicker = dict(median=5.0, low=4.8, high=5.2, accuracy=30)
    better = dict(median=5.1, low=5.0, high=5.3, accuracy=49)
    clearly_slower = dict(median=5.6, low=5.4, high=5.8, accuracy=49)
    assert pareto_front([quicker, better]) == [1]
    assert pareto_front([quicker, clearly_slower]) == [0, 1]


def test_a_noisy_interval_knocks_out_no_clean_point():
    clean = dict(median=6.0, low=5.9, high=6.1, accuracy=30)
    noisy = dict(median=20.0, low=5.0, high=50.0, accuracy=31)
    assert pareto_front([clean, noisy]) == [0, 1]
    assert pareto_front([{**clean, 'accuracy': 31}, {**noisy, 'accuracy': 30}]) == [0]
    assert pareto_front([clean, {**noisy, 'accuracy': 30}]) == [0]


def test_time_in_yardsticks_decides_where_both_have_it():
    def point(ms, ratio, accuracy):
        return dict(median=ms, low=ms, high=ms, accuracy=accuracy,
                    by_yardstick=ratio and dict(median=ratio, low=ratio, high=ratio))
    # The second was measured while the machine was slow.
    assert pareto_front([point(5., 10., 30), point(6., 9., 31)]) == [1]
    assert pareto_front([point(5., 10., 30), point(6., None, 31)]) == [0, 1]


def test_staircase_is_level_until_the_next_point():
    assert staircase([(2, 10), (5, 30)], 9) == [(2, 10), (5, 10), (5, 30), (9, 30)]
    assert staircase([], 9) == []
