from itertools import combinations

from lcvision.report.labels import leader, place_labels

BOUNDS = (0., 0., 400., 300.)


def apart(a, b):
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_label_stands_right_of_its_point():
    (box,) = place_labels([(100, 100)], [(50, 10)], BOUNDS, gap=9)
    assert box == (109, 95, 159, 105)
    assert leader((100, 100), box) is None


def test_labels_of_a_crowd_cover_neither_each_other_nor_marks_nor_edges():
    points = [(200 + 6 * (i % 3), 150 + 7 * (i // 3)) for i in range(9)]
    marks = [(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    boxes = place_labels(points, [(60, 12)] * 9, BOUNDS, marks)
    placed = [box for box in boxes if box]
    assert len(placed) >= 7
    assert all(apart(a, b) for a, b in combinations(placed, 2))
    assert all(apart(box, mark) for box in placed for mark in marks)
    assert all(box[0] >= 0 and box[1] >= 0 and box[2] <= 400 and box[3] <= 300 for box in placed)


def test_no_room_no_label():
    assert place_labels([(5, 5)], [(500, 10)], BOUNDS) == [None]


def test_a_line_is_covered_only_when_there_is_no_other_place():
    beside = (100., 95., 400., 105.)
    (box,) = place_labels([(100, 100)], [(50, 10)], BOUNDS, lines=[beside])
    assert apart(box, beside)
    (box,) = place_labels([(100, 100)], [(50, 10)], BOUNDS, lines=[BOUNDS])
    assert box == (109, 95, 159, 105)


def test_a_far_label_gets_a_leader_to_its_nearest_place():
    assert leader((0, 0), (40, -5, 90, 5)) == (40, 0)
