"""mAP of something and of nothing."""
import contextlib
import io
import json
import multiprocessing

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from lcvision.errors import UserError
from lcvision.evaluation.coco_box_metric import _ITEMS, CocoBoxMetric


def evaluate(tmp_path, boxes, ids=(1,), others=(), images=(1,), **options):
    content = dict(
        images=[dict(id=i, width=640, height=64, file_name='a.jpg') for i in (*images, *others)],
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


def test_boxes_on_the_spot_have_an_mAP_of_one(tmp_path):
    assert evaluate(tmp_path, [[8., 8., 28., 28.]])['coco/bbox_mAP'] == pytest.approx(1)


def test_images_outside_the_part_do_not_count(tmp_path):
    boxes = [[8., 8., 28., 28.]]
    assert evaluate(tmp_path, boxes, others=(2,), part=True)['coco/bbox_mAP'] == pytest.approx(1)
    assert evaluate(tmp_path, boxes, others=(2,))['coco/bbox_mAP'] < 1


def test_no_box_is_zero_and_has_the_same_keys(tmp_path):
    some, none = evaluate(tmp_path, [[8., 8., 28., 28.]]), evaluate(tmp_path, [])
    assert set(none.values()) == {0.} and set(none) == set(some)


@pytest.mark.parametrize('ids', [(1, 2, 3, 4), (0, 1, 2, 3), (7, 0, 5, 1), ('x10', 'x11', 'x12', 'x13')], ids=str)
def test_perfect_boxes_score_one_however_annotations_are_numbered(tmp_path, ids):
    boxes = [[8. + 40 * i, 8., 28. + 40 * i, 28.] for i in range(4)]
    assert evaluate(tmp_path, boxes, ids)['coco/bbox_mAP'] == pytest.approx(1)


def random_set(rng, images=12, boxes=90, found=400):
    """Ground truth with crowds and images without a box, and detections near it, of equal scores now and then."""
    corners, sides = rng.random((boxes, 2)) * 200, np.exp(rng.normal(3.5, 1, (boxes, 2)))
    truth, owners = np.hstack([corners, sides]), rng.integers(0, images - 2, boxes)
    labels = rng.integers(0, 3, boxes)
    content = dict(
        images=[dict(id=30 - i, width=640, height=480, file_name=f'{i}.jpg') for i in range(images)],
        categories=[dict(id=9 - i, name='abc'[i]) for i in range(3)],
        annotations=[dict(id=i, image_id=30 - int(owners[i]), category_id=9 - int(labels[i]), bbox=truth[i].tolist(),
                          area=float(truth[i, 2] * truth[i, 3] * 0.7), iscrowd=int(i % 9 == 0)) for i in range(boxes)])
    near = rng.integers(0, boxes, found)
    detected = (truth[near] + rng.normal(0, 0.1, (found, 4)) * np.tile(sides[near], 2)).clip(1)
    detected[:, 2:] += detected[:, :2]
    return content, [dict(img_id=30 - image, ori_shape=(480, 640), pred_instances=dict(
        bboxes=torch.from_numpy(detected[mine]).float(), labels=torch.from_numpy(labels[near[mine]]),
        scores=torch.from_numpy(rng.integers(0, 20, int(mine.sum())) / 20).float()))
        for image in range(images) for mine in [owners[near] == image]]


def of_pycocotools(path, metric, samples, numbers):
    """Its twelve values, and its precision."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(path)
        for number, annotation in enumerate(truth.dataset['annotations'], 1):
            annotation['id'] = number
        truth.createIndex()
        found = [dict(image_id=sample['img_id'], category_id=9 - int(label), score=float(score),
                      bbox=[x, y, right - x, bottom - y])
                 for sample in samples for one in [sample['pred_instances']]
                 for (x, y, right, bottom), label, score in zip(one['bboxes'].tolist(), one['labels'], one['scores'])]
        comparison = COCOeval(truth, truth.loadRes(found), 'bbox')
        comparison.params.maxDets, comparison.params.iouThrs = list(numbers), metric.iou_thrs
        comparison.evaluate()
        comparison.accumulate()
        comparison.summarize()
    return comparison.stats, comparison.eval['precision']


@pytest.mark.parametrize('numbers', [(100, 300, 1000), (1, 10, 100), (3, 5, 8)])
@pytest.mark.parametrize('seed', range(3))
def test_the_values_are_those_of_pycocotools(tmp_path, seed, numbers):
    content, samples = random_set(np.random.default_rng(seed))
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))
    metric = CocoBoxMetric(str(path), proposal_nums=numbers, metric_items=list(_ITEMS), classwise=True)
    metric.dataset_meta = dict(classes=('a', 'b', 'c'))
    metric.process({}, samples)
    values = metric.evaluate(len(samples))
    wanted, precision = of_pycocotools(path, metric, samples, numbers)
    assert [values[f'coco/bbox_{name}'] for name in _ITEMS] == pytest.approx(wanted, abs=1e-12)
    if 100 in numbers:
        assert 0.1 < wanted[0] < 0.9
        for label, name in enumerate('abc'):  # pycocotools sorts the ids, which decrease here
            one = precision[:, :, 2 - label, 0, numbers.index(100)]
            assert values[f'coco/{name}_precision'] == pytest.approx(one[one > -1].mean(), abs=1e-12)


def test_a_process_forked_after_an_evaluation_finds_the_same(tmp_path):
    content, samples = random_set(np.random.default_rng(0))
    (tmp_path / 'a.json').write_text(json.dumps(content))
    metric = CocoBoxMetric(str(tmp_path / 'a.json'), metric_items=list(_ITEMS))
    metric.dataset_meta = dict(classes=('a', 'b', 'c'))

    def evaluate_samples():
        metric.process({}, samples)
        return metric.evaluate(len(samples))

    def write_values():
        (tmp_path / 'found').write_text(json.dumps(evaluate_samples()))

    values = evaluate_samples()
    child = multiprocessing.get_context('fork').Process(target=write_values)
    child.start()
    child.join(60)
    child.kill()
    assert json.loads((tmp_path / 'found').read_text()) == values


def test_without_a_json_the_boxes_of_the_data_set_count(tmp_path):
    content, samples = random_set(np.random.default_rng(0))
    content['annotations'] = [{**one, 'area': one['bbox'][2] * one['bbox'][3]} for one in content['annotations']]
    (tmp_path / 'a.json').write_text(json.dumps(content))
    for sample in samples:
        sample['instances'] = [dict(bbox=[x, y, x + width, y + height], bbox_label=9 - one['category_id'],
                                    ignore_flag=one['iscrowd'])
                               for one in content['annotations'] if one['image_id'] == sample['img_id']
                               for x, y, width, height in [one['bbox']]]
    values = []
    for ann_file in (None, str(tmp_path / 'a.json')):
        metric = CocoBoxMetric(ann_file)
        metric.dataset_meta = dict(classes=('a', 'b', 'c'))
        metric.process({}, samples)
        values.append(metric.evaluate(len(samples)))
    assert values[0] == pytest.approx(values[1], abs=1e-12)


def test_predictions_can_be_written(tmp_path):
    assert evaluate(tmp_path, [[8., 8., 28., 28.]], format_only=True, outfile_prefix=str(tmp_path / 'out')) == {}
    assert json.loads((tmp_path / 'out.bbox.json').read_text()) == [
        dict(image_id=1, bbox=[8, 8, 20, 20], score=1, category_id=3)]


def test_an_image_that_the_json_lacks_is_named(tmp_path):
    with pytest.raises(UserError, match='has an image 1 that the json of the metric lacks'):
        evaluate(tmp_path, [[8., 8., 28., 28.]], images=(2,))


def test_an_item_that_is_none_is_named(tmp_path):
    with pytest.raises(UserError, match="no 'AP'; give some of mAP, "):
        evaluate(tmp_path, [], metric_items=['AP'])
