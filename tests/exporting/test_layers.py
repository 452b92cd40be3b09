"""Layers and their groups, from the graph alone."""
from collections import Counter

from lcvision.deploy.export.graph import Layout, make_graph
from lcvision.deploy.network import raw_network
from lcvision.exporting.layers import layers_of
from tests.inference.small_models import shaken_model


def groups(exported, size):
    model = shaken_model(exported.config).eval()
    found = layers_of(make_graph(model, raw_network(model, size), 'end2end', Layout(size)))
    assert len({layer.op for layer in found}) == len(found)
    return found, Counter(layer.group for layer in found)


def test_of_a_detector(detector):
    found, counts = groups(detector, (160, 160))
    assert counts['stem'] == 1 and found[0].name == 'backbone.stem.conv' and counts['first depthwise'] == 8
    gates = [layer.name for layer in found if layer.group == 'squeeze-and-excitation']
    assert len(gates) == 4 and all('.se.' in name for name in gates)
    assert all(layer.name.startswith('head') for layer in found if layer.group == 'prediction')
    assert counts['prediction'] == 3 and counts['backbone dense at 1/16'] and counts['neck dense at 1/8']
    assert all(layer.fixed == (layer.group in ('stem', 'prediction', 'squeeze-and-excitation', 'first depthwise'))
               for layer in found)


def test_of_a_classifier(classifier):
    found, counts = groups(classifier, (224, 224))
    assert counts['prediction'] == 1 and found[-1].group == 'prediction' and counts['squeeze-and-excitation'] == 4
