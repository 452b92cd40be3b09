"""The frameworks' own ways to infer take the configs and say what a predictor says."""
import cv2
import numpy as np
import pytest
from mmdet.apis import DetInferencer, inference_detector, init_detector
from mmengine.registry import init_default_scope
from mmpretrain import ImageClassificationInferencer, get_model
from mmseg.apis import MMSegInferencer, inference_model, init_model

from lcvision.inference import Predictor
from lcvision.inference.preprocess import ImageSteps
from tests.configs.test_configs import CONFIGS
from tests.inference.small_models import CLASSIFIER, DETECTORS, SEGMENTOR, images, save, shaken_model, small_config

# The first config of each way to prepare images.
FIRST: dict = {}
for config_name, config in CONFIGS.items():
    FIRST.setdefault((config.default_scope, str(config.test_dataloader.dataset.get('pipeline')),
                      str(config.model.get('data_preprocessor') or config.get('data_preprocessor'))), config_name)
INFERENCERS = {'mmdet': DetInferencer, 'mmseg': MMSegInferencer, 'mmpretrain': ImageClassificationInferencer}


@pytest.fixture
def made(tmp_path):
    """Makes a config, its checkpoint, pictures as files and as arrays, and what a predictor says of them."""
    def make(name):
        config = small_config(name)
        head = next(config.model[key] for key in ('bbox_head', 'decode_head', 'head') if key in config.model)
        meta = dict(classes=[f'class {label}' for label in range(head.num_classes)])
        checkpoint = save(shaken_model(config), tmp_path / 'model.pth', dataset_meta=meta)
        arrays = images(name)
        paths = [str(tmp_path / f'{number}.png') for number in range(len(arrays))]
        for path, array in zip(paths, arrays, strict=True):
            cv2.imwrite(path, array)
        return config, checkpoint, paths, arrays, Predictor(config, checkpoint, engine='eager', threads=1)(arrays)
    return make


@pytest.mark.parametrize('name', FIRST.values())
def test_inferencers_prepare_images_as_a_predictor(name):
    config = CONFIGS[name].copy()
    init_default_scope(config.default_scope)
    inferencer = INFERENCERS[config.default_scope]
    red_and_blue = np.zeros((120, 160, 3), np.uint8)
    red_and_blue[:70, :, 2] = red_and_blue[70:, :, 0] = 255
    expected = ImageSteps(config)(red_and_blue).image
    given = red_and_blue.copy()
    if config.default_scope == 'mmpretrain':
        given = dict(img=given, img_shape=given.shape[:2], ori_shape=given.shape[:2])
    packed = inferencer._init_pipeline(object.__new__(inferencer), config)(given)
    np.testing.assert_array_equal(packed['inputs'].permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize('name', DETECTORS)
def test_mmdet_finds_the_same_boxes(name, made):
    config, checkpoint, paths, arrays, expected = made(name)
    model = init_detector(config.copy(), checkpoint, device='cpu')
    inferencer = DetInferencer(config, checkpoint, device='cpu', show_progress=False)
    for given in (paths, arrays):
        for results in (inference_detector(model, given), inferencer(given, return_datasamples=True)['predictions']):
            for sample, wanted in zip(results, expected, strict=True):
                assert sample.pred_instances.labels.tolist() == wanted.labels.tolist()
                np.testing.assert_allclose(sample.pred_instances.bboxes.numpy(), wanted.boxes, atol=1e-3, rtol=0)
    assert sum(map(len, expected)) > 10


def test_mmseg_gives_the_same_label_maps(made):
    config, checkpoint, paths, arrays, expected = made(SEGMENTOR)
    for given in (paths, arrays):
        model = init_model(config.copy(), checkpoint, device='cpu')
        inferencer = MMSegInferencer(config, checkpoint, device='cpu')
        for number, wanted in enumerate(expected):
            one = inference_model(model, given[number]).pred_sem_seg.data[0].numpy()
            assert np.array_equal(one, wanted.labels) and len(np.unique(one)) > 3
            assert np.array_equal(inferencer(given[number])['predictions'], wanted.labels)


@pytest.mark.parametrize('name', [CLASSIFIER, 'classification/elite0'])
def test_mmpretrain_gives_the_same_scores(name, made):
    config, checkpoint, paths, arrays, expected = made(name)
    # An earlier test's scope would be mmpretrain's, too.
    init_default_scope('mmpretrain')
    inferencer = ImageClassificationInferencer(get_model(config, checkpoint, device='cpu'))
    for given in (paths, arrays):
        for found, wanted in zip(inferencer(given), expected, strict=True):
            assert found['pred_label'] == wanted.label and found['pred_class'] == wanted.name
            np.testing.assert_allclose(found['pred_scores'][wanted.labels], wanted.scores, atol=1e-5)
