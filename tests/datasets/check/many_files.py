"""How long a check of many images takes: python tests/datasets/check/many_files.py FOLDER [COUNT]; no test."""
import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from lcvision.cli.check_data import main


def write(root: Path, count: int) -> None:
    """COCO layout with 7.3 boxes an image, as train2017 has, and one image in twenty for validation."""
    rng = np.random.default_rng(0)
    for split, number in (('train', count), ('val', count // 20)):
        folder = root / f'{split}2017'
        folder.mkdir(parents=True)
        images, annotations = [], []
        for index in range(number):
            content = cv2.imencode('.jpg', rng.integers(0, 256, (24, 32, 3), np.uint8))[1].tobytes()
            (folder / f'{index:012}.jpg').write_bytes(content)
            images.append({'id': index, 'file_name': f'{index:012}.jpg', 'width': 32, 'height': 24})
        for number, index in enumerate(rng.integers(0, len(images), 73 * len(images) // 10).tolist(), 1):
            x, y, width, height = (rng.random(4) * (16, 12, 16, 12) + (0, 0, 1, 1)).tolist()
            annotations.append({'id': number, 'image_id': index, 'category_id': 1 + number % 80, 'iscrowd': 0,
                                'bbox': [x, y, width, height], 'area': width * height})
        (root / 'annotations').mkdir(exist_ok=True)
        content = {'images': images, 'annotations': annotations,
                   'categories': [{'id': i, 'name': f'class {i}'} for i in range(1, 81)]}
        (root / f'annotations/instances_{split}2017.json').write_text(json.dumps(content))


if __name__ == '__main__':
    place = Path(sys.argv[1])
    if not place.is_dir():
        write(place, int((sys.argv[2:] or ['118000'])[0]))
    start = time.perf_counter()
    code = main([str(place), '--show-dir', f'{place}_pictures'])
    print(f'exit code {code} after {time.perf_counter() - start:.1f} s')
