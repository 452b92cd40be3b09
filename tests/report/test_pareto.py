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


def test_staircase_is_level_until_the_next_point():
    assert staircase([(2, 10), (5, 30)], 9) == [(2, 10), (5, 10), (5, 30), (9, 30)]
    assert staircase([], 9) == []
