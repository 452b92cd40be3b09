"""An exported file is evaluated by the frameworks' own data sets and metrics, from the images as they are stored."""
import cv2
import numpy as np
import pytest

from lcvision.errors import UserError
from lcvision.training.evaluate import evaluate
from tests.datasets import coco_like
from tests.inference.runtime.tiny_files import NAMES, metadata, write


def test_a_segmentor_that_sees_colours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = write(tmp_path / 'a.onnx', 'segmentation')
    (tmp_path / 'data' / 'classes.txt').parent.mkdir()
    (tmp_path / 'data' / 'classes.txt').write_text('\n'.join(NAMES))
    rng = np.random.default_rng(0)
    for number, size in enumerate([(20, 30), (24, 16)] * 5):
        labels = rng.integers(0, 3, size, np.uint8)
        for folder, image in (('images', np.eye(3, dtype=np.uint8)[labels] * 200), ('masks', labels)):
            (tmp_path / 'data' / folder).mkdir(exist_ok=True)
            assert cv2.imwrite(str(tmp_path / 'data' / folder / f'{number}.png'), image)
    found = evaluate(str(model), data=tmp_path / 'data')
    assert found.metrics['mIoU'] == 100 and found.engine == 'onnxruntime' and found.latency == []
    assert (tmp_path / 'work_dirs' / 'a').is_dir()


def test_a_detector_that_knows_one_box(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / 'data'
    for split in ('train', 'val'):
        coco_like.draw(data / f'{split}2017')
        coco_like.write(data / f'annotations/instances_{split}2017.json', coco_like.content())
    # The box of every image, x 4..24 of 48 and y 6..18 of 32, in an input of 32 x 32.
    monkeypatch.setattr('tests.inference.runtime.tiny_files.BOX', (4 / 48 * 32, 6, 24 / 48 * 32, 18))
    model = write(tmp_path / 'a.onnx', 'detection', metadata('detection', names=list(coco_like.CLASSES)))
    metrics = evaluate(str(model), data=data, show_dir=tmp_path / 'shown').metrics
    assert 0 < metrics['coco/bbox_mAP'] < 1 and any((tmp_path / 'shown').iterdir())
    with pytest.raises(UserError, match=r'knows the classes blue, green, red, and the data have cup, fork'):
        evaluate(str(write(tmp_path / 'b.onnx', 'detection')), data=data)


@pytest.mark.parametrize('options, sentence', [
    (dict(), "says nothing about data: give them with --data, 'sample' or a folder"),
    (dict(data='sample', checkpoint='a.pth'), 'is an exported file, .* leave out checkpoint'),
    (dict(data='sample', cfg_options={'a': 1}), 'is an exported file, .* leave out cfg-options'),
])
def test_faults_are_one_sentence(options, sentence, tmp_path):
    with pytest.raises(UserError, match=sentence):
        evaluate(str(write(tmp_path / 'a.onnx', 'segmentation')), **options)
    with pytest.raises(UserError, match='without a checkpoint'):
        evaluate('pplcnet_0_5x')
