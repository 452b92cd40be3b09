"""The scope 'e2e': what it runs on, its records and its table."""
import json

import numpy as np
import pytest
import torch

from lcvision.config import load_config
from lcvision.deploy.engines import ENGINES, Prepared
from lcvision.deploy.network import build_model, raw_network
from lcvision.errors import UserError
from lcvision.latency import Budget, Subject, run_benchmark
from lcvision.latency.end_to_end import _raise_candidates, end_to_end
from lcvision.latency.table import format_ms, format_table
from lcvision.tasks import task_of
from tests.inference.small_models import CLASSIFIER, DETECTORS, SEGMENTOR, small_config
from tests.latency.small_net import small_net
from tests.latency.test_table import ENVIRONMENT

BUDGET = Budget(samples=4, rounds=2, warmup_seconds=0.05)
SIZES = {CLASSIFIER: (224, 224), SEGMENTOR: (64, 96), **dict.fromkeys(DETECTORS, (160, 160))}


@torch.inference_mode()
@pytest.mark.parametrize('name', SIZES)
def test_an_encoded_image_becomes_a_result(name):
    config, size = small_config(name), SIZES[name]
    network, surroundings = end_to_end(config, build_model(config), size)
    fixed = name != SEGMENTOR
    assert surroundings.image == ([480, 640] if fixed else list(size))
    assert surroundings.decoded.shape == (*surroundings.image, 3) and surroundings.decoded.std() > 20
    seen = []

    def run(x):
        seen.append(tuple(x.shape))
        return network(x)

    prepared = Prepared(run, torch.empty(1, 3, *size), 0.)
    call = surroundings.bind(prepared, 1)
    result = call()
    assert seen == [(1, 3, *size)]
    assert all(np.array_equal(a, b) for a, b in zip(vars(result).values(), vars(call()).values(), strict=True))
    stages = surroundings.stages_ms(prepared, 1)
    assert list(stages) == ['decode', 'prepare', 'network', 'finish'] and min(stages.values()) > 0


@torch.inference_mode()
@pytest.mark.parametrize('name', DETECTORS)
def test_an_untrained_detector_has_boxes_to_suppress(name):
    config = small_config(name, **{'model.test_cfg.nms': dict(type='nms', iou_threshold=1.0),
                                   'model.test_cfg.max_per_img': 10000})
    config.model.test_cfg.pop('nms_pre', None)
    network, surroundings = end_to_end(config, build_model(config), (160, 160))
    found = surroundings.bind(Prepared(network, torch.empty(1, 3, 160, 160), 0.), 1)()
    assert 200 <= len(found) <= 305
    model = build_model(config)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    network, _ = end_to_end(config, model, (160, 160), untrained=False)
    assert all(torch.equal(value, before[key.replace('head.', 'bbox_head.', 1)])
               for key, value in network.state_dict().items() if 'predictors' in key)


@torch.inference_mode()
@pytest.mark.parametrize('name', ['yolox_nano_8xb8-300e_coco', 'rtmdet_tiny_8xb32-300e_coco'])
def test_so_has_one_of_mmdet(name):
    model = build_model(load_config(name), input_size=(128, 128))
    network, x = raw_network(model, (128, 128)), torch.randn(1, 3, 128, 128)
    _raise_candidates(model.bbox_head, network, x)
    outputs = network(x)
    classes, objects = outputs[:3], outputs[6:] or [torch.full((1,), torch.inf)] * 3
    scores = [a.sigmoid() * b.sigmoid() for a, b in zip(classes, objects, strict=True)]
    assert 250 <= sum(int((score > model.bbox_head.test_cfg['score_thr']).sum()) for score in scores) <= 300


@torch.inference_mode()
def test_an_untrained_segmentor_has_the_boundaries_of_a_street():
    config = small_config(SEGMENTOR)
    model = build_model(config)
    # Left alone it would see one class everywhere.
    model.decode_head.conv_seg.bias[3] += 100
    network, surroundings = end_to_end(config, model, (64, 96))
    labels = surroundings.bind(Prepared(network, torch.empty(1, 3, 64, 96), 0.), 1)().labels[2::4, 2::4]
    differs = [(labels[y:y + 2, x:x + 2] != labels[y, x]).any() for y in range(15) for x in range(23)]
    assert 0.04 < np.mean(differs) < 0.16 and len(np.unique(labels)) > 2
    trained, _ = end_to_end(config, model, (64, 96), untrained=False)
    assert torch.equal(trained.head.conv_seg.bias, model.decode_head.conv_seg.bias)


def test_records_and_table():
    config = small_config(CLASSIFIER)
    model = build_model(config)
    network, surroundings = end_to_end(config, model, (224, 224))
    subject = Subject('configs/a.py', task_of(model).name, network, (224, 224), end_to_end=surroundings)
    outcome = run_benchmark([subject], [ENGINES['eager']], [1], scopes=('net', 'e2e'), budget=BUDGET)
    records = outcome.records
    net, e2e = json.loads(json.dumps([record.to_json() for record in records], allow_nan=False))
    assert (net['scope'], e2e['scope']) == ('net', 'e2e') and not outcome.failures
    assert net.keys() <= e2e.keys() == net.keys() | {'image', 'stages_ms'}
    assert e2e['image'] == [480, 640] and e2e['samples'] == net['samples'] == 4
    text = format_table(records, ENVIRONMENT)
    rows = [line.split() for line in text.splitlines() if line.startswith('a ')]
    assert [row[6] for row in rows] == ['net', 'e2e']
    rest = e2e['latency_ms']['median'] - net['latency_ms']['median']
    assert f'a, eager, 1 thr: e2e - net {format_ms(rest)} (decode ' in text and 'encoded image' in text
    assert max(map(len, text.splitlines())) <= 100
    assert 'scope' not in format_table(records[:1], ENVIRONMENT)


def test_a_size_that_the_pipeline_does_not_make_is_refused():
    config = small_config(CLASSIFIER)
    with pytest.raises(UserError, match=r'makes an input of 224x224 .* cannot be measured at 64x64'):
        end_to_end(config, build_model(config), (64, 64))


def test_a_subject_without_surroundings_has_no_end_to_end():
    subject = Subject('a.py', 'detection', small_net(), (16, 16))
    with pytest.raises(ValueError, match='made without end_to_end'):
        run_benchmark([subject], [ENGINES['eager']], [1], scopes=('e2e',), budget=BUDGET)
