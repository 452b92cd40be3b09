import json

import numpy as np

from lcvision.inference import Classification, Detections, LabelMap

CLASSES = ('cat', 'dog', 'eel')


def test_detections():
    found = Detections(np.array([[1.234, 2, 3, 4], [5, 6, 7, 8.5]], np.float32), np.array([0.91234, 0.2], np.float32),
                       np.array([2, 0]))
    assert json.loads(json.dumps(found.as_json(CLASSES))) == {'objects': [
        {'name': 'eel', 'label': 2, 'score': 0.9123, 'box': [1.23, 2, 3, 4]},
        {'name': 'cat', 'label': 0, 'score': 0.2, 'box': [5, 6, 7, 8.5]}]}
    assert len(found) == 2 and found.above(0.5).labels.tolist() == [2] and len(found.above(1)) == 0


def test_label_map():
    labels = np.array([[0, 2, 2, 2]], np.uint8)
    assert json.dumps(LabelMap(labels).as_json(CLASSES)) == '{"shares": {"eel": 0.75, "cat": 0.25}}'


def test_class():
    result = Classification(1, 'dog', np.array([1, 0]), np.array([0.75, 0.25], np.float32))
    assert json.loads(json.dumps(result.as_json(CLASSES))) == {
        'label': 1, 'name': 'dog', 'top': [{'name': 'dog', 'label': 1, 'score': 0.75},
                                           {'name': 'cat', 'label': 0, 'score': 0.25}]}
