"""Folders of data, spoiled."""
import os
import random
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import torch
from mmengine.registry import DATASETS
from mmengine.structures import InstanceData

from lcvision.config import load_config
from lcvision.datasets import cityscapes_folder, coco_folder, mask_folder
from lcvision.datasets.check.faults import find_faults, look_at
from lcvision.datasets.check.layouts import read_folder
from lcvision.datasets.layout import is_data
from lcvision.datasets.npz_images import NpzImages, open_npz
from lcvision.datasets.sources import use_source
from lcvision.datasets.sources.segmentation import _split
from lcvision.evaluation.coco_box_metric import CocoBoxMetric
from tests.datasets import coco_like, image_tree, street_like
from tests.reliability.fuzz import Case, hostile, spoil_bytes, spoil_json
from tests.reliability.readers.images import pictures, spoil_image


def special_files(folder: Path) -> None:
    """What a data folder may hold besides files."""
    os.mkfifo(folder / 'pipe')
    (folder / 'loop').symlink_to(folder)
    (folder / 'itself').symlink_to(folder / 'itself')
    (folder / 'zero').symlink_to('/dev/zero')
    (folder / 'gone').symlink_to(folder / 'nowhere')


class Coco:
    """A json in COCO layout: the checks before a run, the data set, an image of it, and the metric."""

    def __init__(self, folder: Path) -> None:
        self.root = coco_like.folder(folder / 'set')
        special_files(self.root / 'val2017')
        (folder.parent / 'outside' / 'secret.png').write_bytes(pictures()['RGB.png'])
        self._config = load_config('detection/picodet_pplcnet_0_5x')

    def case(self, rng: random.Random) -> Case:
        content = coco_like.content(('1.jpg', '2.jpg'), 11)
        if rng.random() < .15:
            rng.choice(content['images'])['file_name'] = rng.choice((
                '../../../outside/secret.png', str(self.root.parents[1] / 'outside/secret.png'), '/etc/passwd', 'pipe',
                'zero', 'itself', 'loop/1.jpg', 'loop/loop/../1.jpg', '../val2017/1.jpg', './1.jpg', 'gone', '.', ''))
        if rng.random() < .1:
            content['annotations'] *= 2000
        (self.root / 'annotations/instances_val2017.json').write_bytes(spoil_json(rng, content))
        return partial(self._read, rng.random())

    def _read(self, part: float) -> None:
        if part < .1:
            list(find_faults(look_at(read_folder(self.root))))
        found = coco_folder.find(self.root, 'val')
        if part < .2:
            use_source(self._config.copy(), str(self.root), train=True)
        dataset = DATASETS.build(dict(type='lcvision.NonEmptyCocoDataset', **found.dataset, test_mode=True, pipeline=[
            dict(type='lcvision.LoadImage'), dict(type='mmdet.LoadAnnotations', with_bbox=True)],
            metainfo=dict(classes=found.classes)))
        metric = CocoBoxMetric(ann_file=found.dataset['ann_file'])
        metric.dataset_meta = dataset.metainfo
        for index in range(min(len(dataset), 3)):
            info = dataset.get_data_info(index)
            dataset.pipeline(dataset.get_data_info(index))
            boxes = torch.tensor([one['bbox'] for one in info['instances']] or [[0., 0, 4, 4]])
            labels = torch.tensor([one['bbox_label'] for one in info['instances']] or [0])
            predicted = InstanceData(bboxes=boxes, scores=torch.ones(len(boxes)), labels=labels)
            metric.process({}, [dict(img_id=info['img_id'], ori_shape=(32, 48), pred_instances=vars(predicted) and {
                name: predicted[name] for name in ('bboxes', 'scores', 'labels')})])
        metric.evaluate(len(dataset))


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)


class Masks:
    """Images, masks and classes.txt, and folders in Cityscapes layout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def case(self, rng: random.Random) -> Case:
        root = self.folder / 'set'
        shutil.rmtree(root, ignore_errors=True)
        streets = rng.random() < .2
        if streets:
            street_like.cityscapes(root, masks=rng.choice(('labelTrainIds', 'labelIds')))
        else:
            classes = rng.choice(('road\ncar\ntraffic light\n', None,
                                  'road 0 0 0\ncar 1 1 1\nx 2 2 2\nignore 255 255 255'))
            street_like.pairs(root, classes=classes, splits=rng.choice((('train', 'val'), ())))
        files = sorted(path for path in root.rglob('*') if path.is_file())
        for _ in range(rng.choice((1, 1, 2))):
            path, change = rng.choice(files), rng.randrange(8)
            if rng.random() < .4 and (root / 'classes.txt').is_file():
                path, change = root / 'classes.txt', rng.choice((4, 6, 7))
            if change == 0 and os.path.lexists(path):
                path.unlink()
            elif change == 1 and os.path.lexists(path):
                path.rename(path.with_suffix(rng.choice(('.png', '.jpg', '.gif', '.PNG', '.txt', '.tif', ''))))
            elif change == 2 and not (path.parent / 'pipe').exists():
                special_files(path.parent)
            elif change == 3:
                path.unlink(missing_ok=True)
                path.symlink_to(rng.choice(('/dev/zero', '/etc/passwd', path.name, '/proc/self/mem', '.', '..')))
            elif change == 4:
                _write(path, spoil_bytes(rng, path.read_bytes() if is_data(path) else b'x'))
            elif change == 5:
                _write(path, spoil_image(rng)[1])
            elif change == 6:
                _write(path, str(hostile(rng)).encode('utf-8', 'replace'))
            else:
                _write(path, rng.choice((b'a' + b', ' * 20_000 + b'1', b'a 1 2 3\n' * 300, b'a\n' * 300, b'a 999 0 0',
                                         b'\xff\xfea\0', b'a 1 1 1\nb', b'\n'.join(b'%d' % i for i in range(256)))))
        return partial(self._read, root, cityscapes_folder if streets else mask_folder, rng.random())

    def _read(self, root: Path, layout: object, part: float) -> None:
        if part < .2:
            list(find_faults(look_at(read_folder(root))))
        val = _split(layout.find(root, 'val', None))
        _split(layout.find(root, 'train', val.dataset), training=True)
        dataset = DATASETS.build({**val.dataset, '_scope_': 'mmseg', 'pipeline': [
            dict(type='lcvision.LoadImage'), dict(type='lcvision.LoadMask', num_classes=len(val.classes))]})
        dataset[0]


class Npz:
    """Encoded images in one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._whole = image_tree.npz(folder / 'whole.npz').read_bytes()

    def case(self, rng: random.Random) -> Case:
        path = self.folder / 'x.npz'
        if rng.random() < .5:
            path.write_bytes(spoil_bytes(rng, self._whole))
        else:
            arrays = image_tree.arrays()
            for _ in range(rng.choice((1, 1, 3))):
                name = rng.choice(sorted(arrays))
                arrays[name] = rng.choice((
                    lambda old: np.atleast_1d(old)[:-1], lambda old: np.atleast_1d(old)[::-1], lambda old: np.zeros(0),
                    lambda old: old.astype(str),
                    lambda old: old[None], lambda old: np.array(5), lambda old: np.full_like(old, 200) if old.dtype.kind
                    == 'u' else old, lambda old: np.array([None, {}], object), lambda old: np.array([b'\xff', b'a']),
                    lambda old: old.astype(np.float32) if old.dtype.kind in 'iu' else old,
                    lambda old: np.array(['a' * 10_000, '\0', 'b'])))(arrays[name])
            np.savez(path, **arrays)
        return partial(self._read, path)

    def _read(self, path: Path) -> None:
        open_npz.cache_clear()
        NpzImages(path)
        list(find_faults(look_at(read_folder(path))))
        config = load_config('classification/pplcnet_0_5x')
        use_source(config, str(path), train=True)
        dataset = DATASETS.build({**config.test_dataloader.dataset, '_scope_': 'mmpretrain'})
        dataset[0]


class Foreign:
    """What check-data reads beside: YOLO, VOC, Label Studio and Roboflow, and trees of images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def case(self, rng: random.Random) -> Case:
        root = self.folder / 'set'
        shutil.rmtree(root, ignore_errors=True)
        for split in ('train', 'val'):
            coco_like.draw(root / split)
        kind = rng.randrange(5)
        texts: dict[str, bytes] = {}
        if kind == 0:
            texts = {f'{split}/{i}.txt': b'0 .5 .5 .2 .2\n1 .1 .2 .3 .4 .5 .6\n' for split in ('train', 'val')
                     for i in (1, 2)}
            texts['data.yaml'] = b'names: [cup, fork]\n'
        elif kind == 1:
            texts = {f'{split}/{i}.xml': b'<annotation><filename>1.jpg</filename><size><width>48</width><height>32'
                     b'</height></size><object><name>cup</name><bndbox><xmin>1</xmin><ymin>1</ymin>'
                     b'<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>' for split in ('train',
                     'val') for i in (1, 2)}
            if rng.random() < .2:
                texts['train/1.xml'] = (b'<!DOCTYPE a [<!ENTITY x "' + b'x' * 100 + b'">' + b''.join(
                    b'<!ENTITY x%d "%s">' % (i, b'&x%s;' % (b'%d' % (i - 1) if i else b'') * 10) for i in range(9))
                    + b'<!ENTITY f SYSTEM "file:///etc/passwd">]><annotation><filename>&x8;&f;</filename></annotation>')
        elif kind == 2:
            box = dict(type='rectanglelabels', value=dict(x=1, y=2, width=30, height=40, rectanglelabels=['cup']))
            tasks = [dict(data=dict(image=f'/data/upload/1/ab-{i}.jpg'), annotations=[dict(result=[box])])
                     for i in (1, 2)]
            texts = {'tasks.json': spoil_json(rng, tasks)}
        elif kind == 3:
            texts = {f'{split}/_annotations.coco.json': spoil_json(rng, coco_like.content())
                     for split in ('train', 'val')}
        else:
            image_tree.tree(root)
        for name in rng.sample(sorted(texts), min(len(texts), rng.choice((1, 2)))):
            texts[name] = (spoil_bytes(rng, texts[name]) if rng.random() < .8 else
                           str(hostile(rng)).encode('utf-8', 'replace'))
        for name, content in texts.items():
            (root / name).write_bytes(content)
        if rng.random() < .1:
            special_files(root / 'train')
        return partial(self._read, root)

    def _read(self, root: Path) -> None:
        list(find_faults(look_at(read_folder(root)), (320, 320)))
