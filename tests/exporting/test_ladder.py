"""Wrong exports are found, each by name."""
import re

import numpy as np
import pytest
from onnx import numpy_helper

from lcvision.deploy.export import detection, graph
from lcvision.exporting import export as exporting
from lcvision.exporting import job


def change_metadata(monkeypatch, **changes):
    plain = job.describe

    def describe(*args):
        metadata = plain(*args)
        for key, value in changes.items():
            metadata['input'][key] = value(metadata['input'][key])
        return metadata
    monkeypatch.setattr(job, 'describe', describe)


def other_way(steps):
    return [{**step, 'interpolation': 'bilinear'} for step in steps]


def swap_colours(monkeypatch):
    change_metadata(monkeypatch, colour=lambda colour: 'BGR')


def wrong_std(monkeypatch):
    change_metadata(monkeypatch, std=lambda std: [side * 1.02 for side in std])


def other_interpolation(monkeypatch):
    change_metadata(monkeypatch, steps=other_way)


def changed_threshold(monkeypatch):
    monkeypatch.setattr(graph, 'thresholds', lambda head: {**detection.thresholds(head), 'iou_threshold': 0.5})


def sigmoid_twice(monkeypatch):
    plain = graph.Nodes.__call__
    monkeypatch.setattr(graph.Nodes, '__call__', lambda self, kind, *inputs, **more: plain(
        self, kind, *([plain(self, kind, *inputs)] if kind == 'Sigmoid' else inputs), **more))


def shifted_anchors(monkeypatch):
    plain = detection.Decoder._grid
    monkeypatch.setattr(detection.Decoder, '_grid', lambda self: (plain(self)[0] + 4, plain(self)[1]))


def baked_batch(monkeypatch):
    plain = graph.Nodes._value

    def value(self, given):
        return plain(self, [1, *given[1:]] if isinstance(given, list) and given[0] == 0 and len(given) > 2 else given)
    monkeypatch.setattr(graph.Nodes, '_value', value)


@pytest.mark.parametrize('mutate, changes, found', [
    (swap_colours, {}, r'level 3, .*the preparation that its metadata describe deviates: .*BGR'),
    (wrong_std, {}, r'level 3, .*the preparation that its metadata describe deviates: .*std \[59'),
    (other_interpolation, {}, r'level 3, .*the preparation .*resize bilinear'),
    (changed_threshold, {}, 'level 2, .*the first part that deviates is the selection'),
    (sigmoid_twice, {}, 'level 2, .*the first part that deviates is the class scores'),
    (shifted_anchors, {}, 'level 2, .*the first part that deviates is the decoding of boxes'),
    (baked_batch, dict(dynamic='batch'), r'level [012], .*\[[25], 3, 160, 160\]'),
], ids=lambda value: getattr(value, '__name__', ''))
def test_seven_mutations(mutate, changes, found, detector, tmp_path, monkeypatch):
    mutate(monkeypatch)
    failure, = detector.again(tmp_path / 'out', **changes).failures
    assert re.search(found, failure), failure
    assert not (tmp_path / 'out').exists()


def test_a_wrong_normalisation_inside(detector, tmp_path, monkeypatch):
    plain = exporting.Layout
    monkeypatch.setattr(exporting, 'Layout', lambda size, uint8, mean, std, dynamic: plain(
        size, uint8, mean[::-1], std, dynamic))
    failure, = detector.again(tmp_path / 'out', input='uint8').failures
    assert 'level 1' in failure and 'the first part that deviates is the normalisation' in failure


def test_a_layer_is_named(detector, tmp_path, monkeypatch):
    plain = job.make_graph

    def make_graph(*args):
        made = plain(*args)
        weights = {one.name: one for one in made.model.graph.initializer}
        module = 'backbone.stages.1.0.'
        name = next(name for name in weights if name.startswith(module) and weights[name].dims[1:] == [1, 3, 3])
        weights[name].CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights[name]) * np.float32(1.1), name))
        return made
    monkeypatch.setattr(job, 'make_graph', make_graph)
    failure, = detector.again(tmp_path / 'out').failures
    assert 'level 1' in failure and 'the first part that deviates is layer backbone.stages.1.0' in failure
