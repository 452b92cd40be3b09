"""mAP of something and of nothing."""
import json

import torch

from lcvision.evaluation import CocoBoxMetric


def evaluate(tmp_path, boxes):
    content = dict(
        images=[dict(id=1, width=64, height=64, file_name='a.jpg')], categories=[dict(id=3, name='cup')],
        annotations=[dict(id=1, image_id=1, category_id=3, bbox=[8, 8, 20, 20], area=400, iscrowd=0)])
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))
    metric = CocoBoxMetric(ann_file=str(path))
    metric.dataset_meta = dict(classes=('cup',))
    prediction = dict(bboxes=torch.tensor(boxes).reshape(-1, 4), scores=torch.ones(len(boxes)),
                      labels=torch.zeros(len(boxes), dtype=torch.long))
    metric.process({}, [dict(img_id=1, ori_shape=(64, 64), pred_instances=prediction)])
    return metric.evaluate(1)


def test_boxes_are_evaluated_as_mmdet_does(tmp_path):
    assert evaluate(tmp_path, [[8., 8., 28., 28.]])['coco/bbox_mAP'] == 1


def test_no_box_is_zero_and_has_the_same_keys(tmp_path):
    some, none = evaluate(tmp_path, [[8., 8., 28., 28.]]), evaluate(tmp_path, [])
    assert set(none.values()) == {0.} and set(none) == set(some)
