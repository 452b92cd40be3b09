"""Results of raw maps are a predictor's; label maps have the size of the image."""
import numpy as np
import pytest
import torch

from lcvision.deploy.export.detection import clips, thresholds
from lcvision.deploy.network import raw_network
from lcvision.errors import UserError
from lcvision.inference.pipeline import Pipeline
from lcvision.inference.results import LabelMap
from lcvision.inference.runtime.finish import finish
from lcvision.inference.runtime.preparation import PreparedImage
from tests.inference.runtime.tiny_files import metadata
from tests.inference.small_models import CLASSIFIER, DETECTORS, SEGMENTOR, images, shaken_model, small_config


@pytest.mark.parametrize('name', [*DETECTORS, SEGMENTOR, CLASSIFIER])
def test_raw_maps(name):
    config = small_config(name)
    model = shaken_model(config).eval()
    known = metadata(name.split('/')[0], graph='net', names=[f'class {label}' for label in range(20)])
    head = getattr(model, 'bbox_head', None)
    if head is None:
        names, known['align_corners'] = ['logits'], getattr(getattr(model, 'decode_head', None), 'align_corners', None)
    else:
        known |= dict(strides=list(head.strides), thresholds=thresholds(head), clip=clips(head))
        names = [f'{kind}_{stride}' for kind in ('cls', 'reg', 'align') for stride in head.strides]
    network = raw_network(model, (128, 128))
    pipeline = Pipeline(config, model, network, known['names'])
    compared = 0
    for image in images(name)[:2]:
        sample = pipeline.sample(image)
        padded = sample.meta['padded']
        with torch.inference_mode():
            maps = network(pipeline.tensor(sample, torch.empty(1, 3, *padded)))
            expected = pipeline.postprocess(maps, sample)
        outputs = {key: value.numpy() for key, value in zip(names, maps)}
        prepared = PreparedImage(np.empty((1, 3, *padded)), sample.image.shape[:2], image.shape[:2],
                                 tuple(sample.meta['scale_factor']))
        found = finish(outputs, known, prepared)
        for key, value in vars(expected).items():
            if isinstance(value, np.ndarray):
                assert vars(found)[key].dtype == value.dtype
                np.testing.assert_allclose(vars(found)[key], value, atol=1e-3, rtol=1e-5)
                compared += value.size
            else:
                assert vars(found)[key] == value
    assert compared > 9


@pytest.mark.parametrize('align_corners', [False, True])
def test_upsampling_is_torch_s(align_corners):
    logits = np.random.default_rng(0).normal(size=(1, 5, 7, 9)).astype(np.float32)
    image = PreparedImage(np.empty((1, 3, 70, 61)), (70, 61), (70, 61), (1., 1.))
    found = finish({'logits': logits}, metadata('segmentation', graph='net', align_corners=align_corners), image)
    expected = torch.nn.functional.interpolate(torch.from_numpy(logits), (70, 61), mode='bilinear',
                                               align_corners=align_corners)
    assert isinstance(found, LabelMap) and (found.labels == expected[0].argmax(0).numpy()).mean() > 0.999


def test_a_label_map_has_the_size_of_the_image():
    labels = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    image = PreparedImage(np.empty((1, 3, 3, 4)), (2, 4), (4, 8), (.5, .5))
    found = finish({'labels': labels}, metadata('segmentation'), image)
    assert found.labels.shape == (4, 8) and np.array_equal(found.labels[::2, ::2], labels[0, :2])


def test_raw_maps_of_an_unknown_head():
    with pytest.raises(UserError, match='export it with --graph end2end'):
        finish({}, metadata('detection', graph='net'), PreparedImage(np.empty(0), (1, 1), (1, 1), (1., 1.)))
