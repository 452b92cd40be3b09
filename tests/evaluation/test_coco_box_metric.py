"""mAP of something and of nothing."""
import json

import pytest
import torch

from lcvision.evaluation.coco_box_metric import CocoBoxMetric


def evaluate(tmp_path, boxes, ids=(1,), others=(), **options):
    content = dict(
        images=[dict(id=i, width=640, height=64, file_name='a.jpg') for i in (1, *others)],
        categories=[dict(id=3, name='cup')],
        annotations=[dict(id=name, image_id=1, category_id=3, bbox=[8 + 40 * i, 8, 20, 20], area=400, iscrowd=0)
                     for i, name in enumerate(ids)])
    content['annotations'] += [dict(content['annotations'][0], id=90 + i, image_id=i) for i in others]
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))
    metric = CocoBoxMetric(ann_file=str(path), **options)
    metric.dataset_meta = dict(classes=('cup',))
    prediction = dict(bboxes=torch.tensor(boxes).reshape(-1, 4), scores=torch.ones(len(boxes)),
                      labels=torch.zeros(len(boxes), dtype=torch.long))
    metric.process({}, [dict(img_id=1, ori_shape=(64, 640), pred_instances=prediction)])
    return metric.evaluate(1)


def test_boxes_are_evaluated_as_mmdet_does(tmp_path):
    assert evaluate(tmp_path, [[8., 8., 28., 28.]])['coco/bbox_mAP'] == 1


def test_images_outside_the_part_do_not_count(tmp_path):
    boxes = [[8., 8., 28., 28.]]
    assert evaluate(tmp_path, boxes, others=(2,), part=True)['coco/bbox_mAP'] == 1
    assert evaluate(tmp_path, boxes, others=(2,))['coco/bbox_mAP'] < 1


def test_no_box_is_zero_and_has_the_same_keys(tmp_path):
    some, none = evaluate(tmp_path, [[8., 8., 28., 28.]]), evaluate(tmp_path, [])
    assert set(none.values()) == {0.} and set(none) == set(some)


@pytest.mark.parametrize('ids', [(1, 2, 3, 4), (0, 1, 2, 3), (7, 0, 5, 1), ('x10', 'x11', 'x12', 'x13')], ids=str)
def test_perfect_boxes_score_one_however_annotations_are_numbered(tmp_path, ids):
    boxes = [[8. + 40 * i, 8., 28. + 40 * i, 28.] for i in range(4)]
    assert evaluate(tmp_path, boxes, ids)['coco/bbox_mAP'] == pytest.approx(1)
