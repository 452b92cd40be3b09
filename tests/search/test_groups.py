"""Z-scores and groups."""
from lcvision.search.groups import loads, make_groups


def test_loads_are_sums_of_deviations():
    assert loads([1, 2, 3], [30, 20, 10]) == [0, 0, 0]
    assert loads([1, 3], [1, 3]) == [-2, 2]
    assert loads([5, 5], [1, 3]) == [-1, 1]  # what is the same for all tells nothing


def test_groups_are_consecutive_and_heavy_first():
    assert make_groups([0, 3, 1, 2, 3], 2) == [[1, 4], [3, 2], [0]]
