"""One small set of labelled images, written as each labelling tool does."""
import json

import cv2
import numpy as np

from tests.datasets import coco_like

NAMES = [f'{index}.jpg' for index in range(6)]
# Of each image the class and x, y, width, height in pixels.
BOXES = [('fork' if index % 2 else 'cup', (4, 6, 20, 12)) for index in range(6)]
_SPLITS = {'train': range(4), 'valid': range(4, 6)}


def draw(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        pixels = np.random.default_rng(int(name[0])).integers(0, 256, (32, 48, 3), np.uint8)
        cv2.imwrite(str(folder / name), pixels)


def roboflow_coco(root):
    for split, indices in _SPLITS.items():
        names = [NAMES[i] for i in indices]
        draw(root / split, names)
        content = coco_like.content(names)
        group = {'id': 0, 'name': 'things', 'supercategory': 'none'}
        content['categories'] = [group, *({**one, 'supercategory': 'things'} for one in content['categories'])]
        for annotation, index in zip(content['annotations'], indices):
            annotation['category_id'] = 3 + 4 * (index % 2)
        coco_like.write(root / split / '_annotations.coco.json', content)
    return root


def yolo(root, images='{}/images', labels='{}/labels', splits=_SPLITS, names='data.yaml'):
    for split, indices in splits.items():
        draw(root / images.format(split), [NAMES[i] for i in indices])
        folder = root / labels.format(split)
        folder.mkdir(parents=True, exist_ok=True)
        for i in indices:
            x, y, width, height = BOXES[i][1]
            numbers = ((x + width / 2) / 48, (y + height / 2) / 32, width / 48, height / 32)
            # A box, or the polygon of its corners.
            if i == 1:
                numbers = (x / 48, y / 32, (x + width) / 48, y / 32, (x + width) / 48, (y + height) / 32)
            (folder / f'{i}.txt').write_text(f'{i % 2} ' + ' '.join(map(str, numbers)) + '\n')
    (root / names).write_text('cup\nfork\n' if names.endswith('.txt') else 'nc: 2\nnames: {0: cup, 1: fork}\n')
    return root


def voc(root, images='JPEGImages', labels='Annotations', lists=True):
    draw(root / images, NAMES)
    (root / labels).mkdir(exist_ok=True)
    for name, (title, (x, y, width, height)) in zip(NAMES, BOXES):
        corners = dict(xmin=x + 1, ymin=y + 1, xmax=x + width, ymax=y + height)
        box = ''.join(f'<{key}>{value}</{key}>' for key, value in corners.items())
        (root / labels / f'{name[0]}.xml').write_text(
            f'<annotation><filename>{name}</filename><size><width>48</width><height>32</height></size>'
            f'<object><name>{title}</name><bndbox>{box}</bndbox></object></annotation>')
    for split, stems in (('train', '0123'), ('val', '45')) if lists else ():
        path = root / 'ImageSets/Main' / f'{split}.txt'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('\n'.join(stems))
    return root


def label_studio(root, short=False):
    draw(root / 'images', NAMES)
    tasks = []
    for name, (title, (x, y, width, height)) in zip(NAMES, BOXES):
        value = dict(x=100 * x / 48, y=100 * y / 32, width=100 * width / 48, height=100 * height / 32, rotation=0,
                     rectanglelabels=[title])
        sizes = dict(original_width=48, original_height=32)
        link = f'/data/upload/3/1a2b3c4d-{name}'
        tasks.append(dict(image=link, label=[{**value, **sizes}]) if short else dict(
            data=dict(image=link), annotations=[dict(result=[{'type': 'rectanglelabels', 'value': value, **sizes}])]))
    (root / 'project-1.json').write_text(json.dumps(tasks))
    return root


def single_coco(root):
    draw(root / 'images', NAMES)
    content = coco_like.content(NAMES)
    for index, annotation in enumerate(content['annotations']):
        annotation['category_id'] = 3 + 4 * (index % 2)
    coco_like.write(root / 'result.json', content)
    return root
