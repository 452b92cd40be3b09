from types import SimpleNamespace

import numpy as np
import torch
from mmdet.datasets.transforms import LoadAnnotations, Resize
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.dataset import Compose
from mmengine.structures import InstanceData

from lcvision.visualization.ground_truth import annotations_are_resized, true_boxes


def dataset(*transforms):
    return SimpleNamespace(pipeline=Compose(transforms))


def sample(boxes, **meta):
    out = DetDataSample(metainfo=dict(ori_shape=(480, 640), **meta))
    out.gt_instances = InstanceData(bboxes=boxes, labels=torch.arange(len(boxes)))
    return out


def test_the_order_of_the_pipeline_decides():
    load, resize = LoadAnnotations(with_bbox=True), Resize(scale=(320, 320))
    assert annotations_are_resized(dataset(load, resize))
    assert not annotations_are_resized(dataset(resize, load))
    assert not annotations_are_resized(dataset(resize))
    assert not annotations_are_resized(SimpleNamespace())


def test_wrapped_datasets_are_looked_into():
    inner = dataset(LoadAnnotations(with_bbox=True), Resize(scale=(320, 320)))
    assert annotations_are_resized(SimpleNamespace(dataset=inner))
    assert annotations_are_resized(SimpleNamespace(datasets=[SimpleNamespace(dataset=inner)]))


def test_resized_boxes_are_brought_back():
    boxes = torch.tensor([[10.0, 20.0, 30.0, 40.0]])
    for given in (boxes, HorizontalBoxes(boxes)):
        there = sample(given, scale_factor=(0.5, 0.25))
        back, labels = true_boxes(there, resized=True)
        assert back.tolist() == [[20, 80, 60, 160]] and labels.tolist() == [0]
        assert true_boxes(there, resized=False)[0].tolist() == boxes.tolist()
    assert boxes.tolist() == [[10, 20, 30, 40]]


def test_samples_without_annotations():
    for nothing in (DetDataSample(), sample(torch.zeros(0, 4))):
        boxes, labels = true_boxes(nothing, resized=True)
        assert boxes.shape == (0, 4) and labels.shape == (0,)
        assert boxes.dtype == np.float32
