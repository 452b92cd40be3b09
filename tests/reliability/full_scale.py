"""Data as large as COCO, ImageNet and Cityscapes: python -m tests.reliability.full_scale SUBJECT FOLDER; no test.

FOLDER is made where it is missing, and may be deleted afterwards. Prints what it took.
"""
import json
import os
import sys
import time
from pathlib import Path
from threading import Event, Thread

import cv2
import numpy as np
from mmengine.hooks import Hook

# Names of one file that ext4 allows.
_LINKS = 60_000


class PeakMemory(Thread):
    """The most memory that this process and those below it held together, in MiB; shared pages count once."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak, self._done = 0., Event()

    def run(self):
        while not self._done.wait(0.2):
            self.peak = max(self.peak, sum(map(_proportional, processes())))

    def stop(self):
        self._done.set()
        return self.peak


def processes(root=None):
    """This process, or another, and all below it."""
    found = [str(root or os.getpid())]
    for number in found:
        for path in Path(f'/proc/{number}/task').glob('*/children'):
            found += path.read_text().split()
    return found


def _proportional(number):
    try:
        lines = Path(f'/proc/{number}/smaps_rollup').read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith('Pss:')), 0)


class FirstStep(Hook):
    """Ends a training after its first step."""

    def __init__(self, start, memory):
        self._start, self._memory = start, memory

    def after_train_iter(self, runner, *_, **__):
        print(f'first step after {time.perf_counter() - self._start:.1f} s, '
              f'{self._memory.stop():.0f} MiB', flush=True)
        os._exit(0)


def link_images(folder, names, size):
    """So many images that are few files."""
    folder.mkdir(parents=True)
    content = cv2.imencode('.jpg', np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))[1].tobytes()
    for index, name in enumerate(names):
        if index % _LINKS == 0:
            first = folder / name
            first.write_bytes(content)
        else:
            os.link(first, folder / name)


def coco_content(count, seed=0, polygons=True):
    """A json with 7.3 boxes of 80 classes an image, and polygons as COCO has."""
    rng = np.random.default_rng(seed)
    images = [dict(id=number, file_name=f'{number:012}.jpg', width=640, height=480, license=3,
                   date_captured='2013-11-14 16:28:13') for number in range(count)]
    number = count * 73 // 10
    corners, sides = rng.random((number, 2)) * (500, 360), np.exp(rng.normal(3.5, 1, (number, 2))).clip(2, 120)
    boxes, owners = np.round(np.hstack([corners, sides]), 2), np.sort(rng.integers(0, count, number)).tolist()
    shapes = np.round(corners[:, None] + sides[:, None] * rng.random((number, 20, 2)), 2).reshape(number, -1)
    annotations = [dict(id=index + 1, image_id=owners[index], category_id=1 + index % 80, bbox=boxes[index].tolist(),
                        area=float(sides[index].prod()), iscrowd=int(index % 100 == 99),
                        **(dict(segmentation=[shapes[index].tolist()]) if polygons else {}))
                   for index in range(number)]
    return dict(images=images, annotations=annotations, categories=[dict(id=i, name=f'c{i}') for i in range(1, 81)])


def make_coco(root, count=118_000):
    for split, number in (('train', count), ('val', count // 24)):
        content = coco_content(number)
        (root / 'annotations').mkdir(parents=True, exist_ok=True)
        (root / f'annotations/instances_{split}2017.json').write_text(json.dumps(content))
        link_images(root / f'{split}2017', [image['file_name'] for image in content['images']], (96, 128))


def first_step(root, config, **options):
    """Trains one step."""
    start, memory = time.perf_counter(), PeakMemory()
    memory.start()
    import lcvision
    from lcvision.config import load_config
    from lcvision.training import train

    build, cfg = train.build_runner, load_config(config)
    cfg.merge_from_dict({'train_dataloader.batch_size': 8, 'default_hooks.latency': None, **options})

    def build_and_stop(*arguments):
        runner = build(*arguments)
        runner.register_hook(FirstStep(start, memory))
        return runner

    train.build_runner = build_and_stop
    lcvision.train(cfg, str(root), work_dir=f'{root}_run', memory_format='contiguous')


def coco(root):
    """Start of a training on COCO 2017."""
    root.is_dir() or make_coco(root)
    first_step(root, 'picodet_pplcnet_0_5x', **{'train_dataloader.collate_fn.sizes': [64]})


def imagenet(root, classes=1000, each=1281):
    """Start of a training on ImageNet."""
    for split, number in (('train', each), ('val', 50)) if not root.is_dir() else ():
        for label in range(classes):
            link_images(root / f'{split}/n{label:08}', [f'n{label:08}_{i}.JPEG' for i in range(number)], (96, 128))
    first_step(root, 'pplcnet_0_25x')


def evaluation(root, count=5000, boxes=100):
    """COCO's metrics of so many images with so many boxes each."""
    import torch

    from lcvision.evaluation.coco_box_metric import CocoBoxMetric
    path = root / 'val.json'
    root.mkdir(parents=True, exist_ok=True)
    content = coco_content(count)
    path.write_text(json.dumps(content))
    rng, of_image = np.random.default_rng(0), {image['id']: [] for image in content['images']}
    for box in content['annotations']:
        of_image[box['image_id']].append((*box['bbox'], box['category_id'] - 1))
    samples = []
    for number, known in of_image.items():
        near = np.array(known or [(0, 0, 50, 50, 0)])[rng.integers(0, len(known) or 1, boxes)]
        found = near[:, :4] + rng.normal(0, 0.1, (boxes, 4)) * np.tile(near[:, 2:4], 2)
        found[:, 2:] = found[:, :2] + found[:, 2:].clip(1)
        samples.append(dict(img_id=number, ori_shape=(480, 640), pred_instances=dict(
            bboxes=torch.from_numpy(found).float(), scores=torch.rand(boxes),
            labels=torch.from_numpy(near[:, 4]).long())))
    start = time.perf_counter()
    metric = CocoBoxMetric(ann_file=str(path))
    metric.dataset_meta = dict(classes=tuple(f'c{i}' for i in range(1, 81)))
    metric.process({}, samples)
    print(metric.evaluate(count), f'after {time.perf_counter() - start:.1f} s')


def cityscapes(root, count=60):
    """Memory of a validation at 2048 x 1024, after each tenth image."""
    if not root.is_dir():
        rng = np.random.default_rng(0)
        for split in ('train', 'val'):
            for kind, suffix in (('leftImg8bit', 'leftImg8bit'), ('gtFine', 'gtFine_labelTrainIds')):
                (root / kind / split / 'a').mkdir(parents=True)
                image = np.kron(rng.integers(0, 19, (64, 128) + (3,) * (kind == 'leftImg8bit'), np.uint8),
                                np.ones((16, 16) + (1,) * (kind == 'leftImg8bit'), np.uint8))
                for index in range(count if split == 'val' else 1):
                    cv2.imwrite(str(root / kind / split / 'a' / f'a_{index:06}_000000_{suffix}.png'), image)
    import lcvision
    from lcvision.config import load_config
    from lcvision.training import evaluate

    build, cfg = evaluate.build_runner, load_config('deeplabv3plus_pplcnet_0_5x')

    class Memory(Hook):
        def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if batch_idx % 10 == 9:
                print(f'{batch_idx + 1} images: {sum(map(_proportional, processes())):.0f} MiB', flush=True)

    def build_and_look(*arguments):
        runner = build(*arguments)
        runner.register_hook(Memory())
        return runner

    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS
    init_default_scope('mmseg')
    cfg.default_hooks['latency'] = None
    checkpoint = Path(f'{root}_run.pth')
    torch_save(MODELS.build(cfg.model).state_dict(), checkpoint)
    evaluate.build_runner = build_and_look
    lcvision.evaluate(cfg, checkpoint, str(root), work_dir=f'{root}_run', memory_format='contiguous')


def torch_save(state, path):
    import torch
    torch.save(dict(state_dict=state, meta={}), path)


if __name__ == '__main__':
    globals()[sys.argv[1]](Path(sys.argv[2]))
