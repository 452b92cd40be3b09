"""A predictor gives what tools/test.py gives, however an image is handed over."""
import cv2
import numpy as np
import pytest
import torch

from lcvision.errors import UserError
from lcvision.inference import Classification, Detections, LabelMap, Predictor
from tests.inference.small_models import (
    CLASSIFIER,
    DETECTORS,
    SEGMENTOR,
    evaluated,
    images,
    save,
    shaken_model,
    small_config,
)


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """Config, model and predictor of each name, made once."""
    known = {}

    def make(name):
        if name not in known:
            config = small_config(name)
            model = shaken_model(config)
            path = save(model, tmp_path_factory.mktemp('weights') / 'model.pth')
            known[name] = config, model, Predictor(config, path, engine='eager', threads=1)
        return known[name]
    return make


@pytest.fixture
def written(tmp_path):
    def write(image, number=0, ending='png'):
        path = tmp_path / f'{number}.{ending}'
        assert cv2.imwrite(str(path), image)
        return path
    return write


@pytest.mark.parametrize('name', DETECTORS)
def test_boxes_equal_an_evaluation(name, made, written):
    config, model, predictor = made(name)
    found = 0
    for number, image in enumerate(images(name)):
        expected = evaluated(config, model, path := written(image, number)).pred_instances
        result = predictor(path)
        assert isinstance(result, Detections) and len(result) == len(expected)
        assert result.labels.tolist() == expected.labels.tolist()
        np.testing.assert_allclose(result.boxes, expected.bboxes.numpy(), atol=1e-3, rtol=0)
        np.testing.assert_allclose(result.scores, expected.scores.numpy(), atol=1e-5, rtol=0)
        found += len(result)
    assert found > 30, 'the threshold is hardly passed: nothing was compared'


def test_label_maps_equal_an_evaluation(made, written):
    config, model, predictor = made(SEGMENTOR)
    for number, image in enumerate(images(SEGMENTOR)):
        expected = evaluated(config, model, path := written(image, number)).pred_sem_seg.data[0].numpy()
        result = predictor(path)
        assert isinstance(result, LabelMap)
        assert result.labels.shape == image.shape[:2] and result.labels.dtype == np.uint8
        assert np.array_equal(result.labels, expected) and len(np.unique(expected)) > 3


def test_class_scores_equal_an_evaluation(made, written):
    config, model, predictor = made(CLASSIFIER)
    for number, image in enumerate(images(CLASSIFIER)):
        expected = evaluated(config, model, path := written(image, number)).pred_score.numpy()
        result = predictor(path)
        assert isinstance(result, Classification) and len(result.labels) == len(result.scores) == 5
        assert result.label == expected.argmax() == result.labels[0]
        assert result.name == predictor.classes[result.label] == f'class {result.label}'
        np.testing.assert_allclose(result.scores, np.sort(expected)[::-1][:5], atol=1e-5)
        np.testing.assert_allclose(result.scores, expected[result.labels], atol=1e-5)


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))


@pytest.mark.parametrize('name', [DETECTORS[0], SEGMENTOR, CLASSIFIER])
def test_paths_bytes_arrays_and_batches_are_alike(name, made, written):
    predictor = made(name)[2]
    first = cv2.resize(images(name)[0], (144, 96))
    second = np.ascontiguousarray(first[::-1])
    path = written(first)
    result = predictor(path)
    before = first.copy()
    assert same(result, predictor(str(path))) and same(result, predictor(path.read_bytes()))
    assert same(result, predictor(first)) and np.array_equal(first, before)
    assert same(result, predictor(first[:, ::-1][:, ::-1])), 'an array that is not contiguous'
    both = predictor([path, second])
    assert len(both) == 2 and same(both[0], result) and not same(both[1], result)
    stacked = predictor(np.stack((first, second)))
    assert all(same(a, b) for a, b in zip(both, stacked, strict=True))
    assert same(both[0], result), 'a later image changed an earlier result'


def test_label_maps_of_many_sizes(made, monkeypatch):
    predictor = made(SEGMENTOR)[2]
    street = images(SEGMENTOR)[0]
    for size in ((64, 64), (70, 50), (96, 64), (64, 96), (80, 80), (66, 66), (70, 50), (64, 64), (98, 70), (100, 50)):
        image = cv2.resize(street, size)
        assert predictor(image).labels.shape == size[::-1]
        assert same(predictor(image), predictor(image))


def test_the_callers_state_stays(made):
    predictor = made(CLASSIFIER)[2]
    threads = cv2.getNumThreads()
    predictor(images(CLASSIFIER)[0])
    assert not torch.is_inference_mode_enabled() and cv2.getNumThreads() == threads
    assert torch.nn.Linear(2, 2)(torch.zeros(1, 2)).requires_grad


@pytest.mark.parametrize('image, word', [
    (np.zeros((8, 8), np.uint8), r'uint8 of shape \(8, 8\)'),
    (np.zeros((8, 8, 3), np.float32), r'float32 of shape \(8, 8, 3\)'),
    (np.zeros((0, 8, 3), np.uint8), r'uint8 of shape \(0, 8, 3\)'),
    (np.zeros((2, 8, 8, 1), np.uint8), r'uint8 of shape \(8, 8, 1\)'),
    ('/nowhere/a.jpg', 'there is no image /nowhere/a.jpg'),
    (b'', 'is empty'),
    (b'\xff\xd8\xff\xe0 and no more', 'ends early'),
    (b'no image at all', 'cannot be|is not an image'),
    ([3], 'got int'),
])
def test_what_is_no_image_is_told(image, word, made):
    with pytest.raises(UserError, match=word):
        made(CLASSIFIER)[2](image)


def test_wrong_arguments_are_told(made, tmp_path):
    config, model, _ = made(CLASSIFIER)
    path = save(model, tmp_path / 'model.pth')
    for arguments, word in ((dict(engine='warp'), 'unknown engine'), (dict(engine='all'), 'one engine'),
                            (dict(engine='eager', threads=10 ** 6), 'ask for at most'),
                            (dict(engine='eager', precision='int1'), 'precision')):
        with pytest.raises(UserError, match=word):
            Predictor(config, path, **arguments)
    with pytest.raises(UserError, match='no config file'):
        Predictor('configs/nothing.py', path, engine='eager')
    with pytest.raises(UserError, match='no weights file'):
        Predictor(config, tmp_path / 'none.pth', engine='eager')


def test_best_chooses_among_engines(made, tmp_path, monkeypatch):
    from lcvision.deploy import engines
    config, model, predictor = made(CLASSIFIER)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr(engines, 'ENGINES', {'eager': engines.ENGINES['eager']})
    image = images(CLASSIFIER)[0]
    best = Predictor(config, save(model, tmp_path / 'model.pth'), threads=1)
    assert best.engine == 'eager'
    np.testing.assert_allclose(best(image).scores, predictor(image).scores, atol=1e-5)


def test_pictures(made):
    for name in (DETECTORS[0], SEGMENTOR, CLASSIFIER):
        predictor = made(name)[2]
        image = images(name)[0]
        before = image.copy()
        picture = predictor.draw(image, predictor(image), score_thr=0.1)
        assert np.array_equal(image, before) and picture.dtype == np.uint8 and picture.shape[2] == 3
        height, width = image.shape[:2]
        assert picture.shape[0] >= height and picture.shape[1] >= width
        assert (picture[:height, :width] != image).any()
