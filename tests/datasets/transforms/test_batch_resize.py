from functools import partial

import cv2
import numpy as np
import pytest
import torch
from mmdet.datasets.transforms import PackDetInputs
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch.utils.data import Dataset

from lcvision.datasets.transforms import batch_random_resize
from lcvision.datasets.transforms.batch_resize import INTERPOLATIONS

BOXES = [[0, 0, 10, 20], [30, 5, 60, 40], [50, 30, 64, 44]]


def packed(seed=0, height=40, width=60, dtype=np.uint8, boxtype=HorizontalBoxes, **extra):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    img = cv2.GaussianBlur(noise, (5, 5), 2).astype(dtype)
    return PackDetInputs()({
        'img': img, 'img_id': seed, 'img_path': f'{seed}.jpg', 'ori_shape': (height, width), 'flip': False,
        'img_shape': (height, width), 'gt_bboxes': boxtype(torch.tensor(BOXES).float()),
        'gt_bboxes_labels': np.arange(3), 'gt_ignore_flags': np.array([False, False, True]), **extra})


class PackedDataset(Dataset):
    def __init__(self, length=24):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return packed(index, 40 + index % 3, 60 + index % 5)


if 'PackedDataset' not in DATASETS:
    DATASETS.register_module(module=PackedDataset)


def pixels(item):
    return item['inputs'].permute(1, 2, 0).numpy()


@pytest.mark.parametrize('name', list(INTERPOLATIONS))
@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_images_equal_cv2_on_the_whole_image(name, dtype):
    batch = [packed(seed, dtype=dtype) for seed in range(3)]
    out = batch_random_resize(batch, [(52, 36)], [name])
    assert out['inputs'].shape == (3, 3, 36, 52) and out['inputs'].dtype == batch[0]['inputs'].dtype
    for item, image in zip(batch, out['inputs'], strict=True):
        expected = cv2.resize(pixels(item), (52, 36), interpolation=INTERPOLATIONS[name])
        # cv2 rounds a uint8 cubic differently by one level, depending on the number of channels it sees.
        tolerance = 1 if name == 'bicubic' and dtype is np.uint8 else 1e-4
        assert np.abs(image.permute(1, 2, 0).numpy().astype(float) - expected).max() <= tolerance


def test_a_uint8_image_among_float_images_is_resized_as_uint8():
    batch = [packed(0), packed(1, dtype=np.float32)]
    out = batch_random_resize(batch, [50], ['bicubic'])['inputs']
    assert out.dtype == torch.float32
    assert torch.equal(out[0], batch_random_resize(batch[:1], [50], ['bicubic'])['inputs'][0].float())
    assert not torch.equal(out[1], out[1].round())


def test_one_size_and_interpolation_per_batch_all_of_them_drawn():
    np.random.seed(0)
    sizes, sides, kinds = list(range(32, 97, 32)), [], set()
    item = packed(0)
    singles = {(name, side): batch_random_resize([item], [side], [name])['inputs'][0]
               for name in INTERPOLATIONS for side in sizes}
    for _ in range(200):
        inputs = batch_random_resize([item, item], sizes)['inputs']
        side = inputs.shape[-1]
        assert inputs.shape == (2, 3, side, side) and torch.equal(inputs[0], inputs[1])
        sides.append(side)
        kinds.add(next(name for name in INTERPOLATIONS if torch.equal(singles[name, side], inputs[0])))
    assert kinds == set(INTERPOLATIONS)
    assert all(abs(sides.count(side) / 200 - 1 / 3) < 0.12 for side in sizes)


@pytest.mark.parametrize('boxtype', [HorizontalBoxes, torch.Tensor])
def test_boxes_are_scaled_and_clipped(boxtype):
    sample = batch_random_resize([packed(boxtype=boxtype)], [(120, 60)])['data_samples'][0]
    boxes, ignored = sample.gt_instances.bboxes, sample.ignored_instances.bboxes
    if boxtype is HorizontalBoxes:
        assert isinstance(boxes, HorizontalBoxes)
        boxes, ignored = boxes.tensor, ignored.tensor
    assert boxes.tolist() == [[0, 0, 20, 30], [60, 7.5, 120, 60]]
    assert ignored.tolist() == [[100, 45, 120, 60]]
    assert sample.gt_instances.labels.tolist() == [0, 1]


def test_metadata_is_consistent():
    sample = batch_random_resize([packed()], [(120, 60)])['data_samples'][0]
    assert sample.img_shape == sample.batch_input_shape == sample.pad_shape == (60, 120)
    assert sample.scale_factor == (2.0, 1.5) and sample.ori_shape == (40, 60) and sample.img_id == 0


def test_scale_factor_goes_on_from_an_earlier_resize():
    sample = batch_random_resize([packed(scale_factor=(0.5, 2.0))], [(120, 60)])['data_samples'][0]
    assert sample.scale_factor == (1.0, 3.0)


def test_masks_and_label_map_follow():
    masks = np.zeros((3, 40, 60), np.uint8)
    masks[:, :20, :30] = 1
    labels = np.arange(40 * 60).reshape(40, 60) % 7
    sample = batch_random_resize([packed(gt_masks=BitmapMasks(masks, 40, 60), gt_seg_map=labels)],
                                 [(120, 80)])['data_samples'][0]
    assert sample.gt_instances.masks.masks.shape == (2, 80, 120)
    assert (sample.gt_instances.masks.masks[:, :40, :60] == 1).all()
    assert torch.equal(sample.gt_sem_seg.sem_seg[0, ::2, ::2], torch.tensor(labels))


def test_the_preprocessor_of_mmdet_takes_the_batch():
    mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    batch = batch_random_resize([packed(0), packed(1, 50, 70)], [64])
    out = DetDataPreprocessor(mean=mean, std=std, bgr_to_rgb=True, pad_size_divisor=32)(batch, training=True)
    expected = (batch['inputs'][:, [2, 1, 0]].float() - torch.tensor(mean)[:, None, None]) / \
        torch.tensor(std)[:, None, None]
    assert torch.allclose(out['inputs'], expected)
    assert isinstance(out['data_samples'][0].gt_instances.bboxes, torch.Tensor)


@pytest.mark.parametrize('workers', [0, 2])
def test_dataloader_of_mmengine(workers):
    loader = Runner.build_dataloader({
        'dataset': {'type': 'PackedDataset'}, 'sampler': {'type': 'DefaultSampler', 'shuffle': False},
        'batch_size': 4, 'num_workers': workers,
        'collate_fn': {'type': 'lcvision.batch_random_resize', 'sizes': [32, 48, 64]}}, seed=3)
    assert isinstance(loader.collate_fn, partial) and loader.collate_fn.func is batch_random_resize
    runs = []
    for _ in range(2):
        np.random.seed(5)
        runs.append([batch['inputs'].clone() for batch in loader])
    assert len(runs[0]) == 6 and len({inputs.shape for inputs in runs[0]}) > 1
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))


@pytest.mark.parametrize('sizes, names, words', [([], ['area'], 'sizes is empty'), ([0], ['area'], '1 pixel'),
                                                 ([32], ['cubic'], 'bicubic'), ([32], [], 'must be among')])
def test_wrong_arguments(sizes, names, words):
    with pytest.raises(ValueError, match=words):
        batch_random_resize([packed()], sizes, names)
