"""The programs beside an exported file find what a predictor finds, without this package."""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from lcvision.deploy.export import examples
from lcvision.deploy.export.examples import write_examples
from lcvision.inference import Predictor
from tests.inference.runtime.tiny_files import TASKS, metadata, write

FOLDER = Path(examples.__file__).parent
STEPS = {
    'detection': [dict(op='resize', size=[32, 32], keep_ratio=False, interpolation='bicubic', backend='cv2')],
    'segmentation': [dict(op='resize', size=[20, 26], keep_ratio=True, interpolation='area', backend='cv2')],
    'classification': [dict(op='resize_edge', size=41, edge='short', interpolation='bilinear', backend='cv2'),
                       dict(op='center_crop', size=[32, 30])]}


@pytest.fixture(scope='module')
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp('image') / 'a.png'
    noise = np.random.default_rng(0).integers(0, 256, (47, 61, 3), np.uint8)
    assert cv2.imwrite(str(path), cv2.GaussianBlur(noise, (5, 5), 2))
    return path


@pytest.mark.parametrize('task', TASKS)
def test_run_py(task, image, tmp_path):
    rule = dict(steps=STEPS[task], colour='RGB', mean=[120., 110., 100.], std=[50., 60., 70.], divisor=4)
    model = write(tmp_path / 'a.onnx', task, metadata(task, input=rule))
    assert write_examples(tmp_path) == [] == write_examples(tmp_path)
    done = subprocess.run([sys.executable, '-I', 'run.py', 'a.onnx', str(image), '--out', 'shown'], cwd=tmp_path,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)['result']
    predictor = Predictor(model, threads=1)
    wanted = predictor(image).as_json(predictor.classes)
    if task == 'segmentation':
        assert found == pytest.approx(wanted['shares'], abs=1e-4) and len(found) > 1
    else:
        wanted = wanted['objects' if task == 'detection' else 'top']
        assert [one['name'] for one in found] == [one['name'] for one in wanted]
        for one, other in zip(found, wanted, strict=True):
            assert one['score'] == pytest.approx(other['score'], abs=1e-4)
            assert one.get('box') == (pytest.approx(other['box'], abs=.01) if task == 'detection' else None)
    assert cv2.imread(str(tmp_path / 'shown' / 'a.jpg')).shape[:2] == (47, 61)


def test_programs_are_short_and_stay_when_changed(tmp_path):
    assert len((FOLDER / 'run.py').read_text().splitlines()) <= 150
    assert len((FOLDER / 'cpp/main.cpp').read_text().splitlines()) <= 200
    assert not re.search(r'(import|from) (lcvision|torch)', (FOLDER / 'run.py').read_text())
    write_examples(tmp_path)
    (tmp_path / 'run.py').write_text('mine')
    assert write_examples(tmp_path) == ['run.py'] and (tmp_path / 'run.py').read_text() == 'mine'


def test_the_program_in_cpp(image, tmp_path):
    openvino = pytest.importorskip('openvino')
    if not (shutil.which('cmake') and shutil.which('g++')):
        pytest.skip('there is no cmake or no g++')
    write(tmp_path / 'a.xml', 'detection')
    config = Path(openvino.__file__).parent / 'cmake'
    build = ['cmake', '-S', str(FOLDER / 'cpp'), '-B', str(tmp_path / 'build'), f'-DOpenVINO_DIR={config}']
    done = subprocess.run(build, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f'OpenCV or OpenVINO cannot be compiled against here: {done.stderr.strip().splitlines()[:1]}')
    subprocess.run(['cmake', '--build', str(tmp_path / 'build')], check=True, capture_output=True, timeout=300)
    lines = subprocess.run([str(tmp_path / 'build/run_model'), str(tmp_path / 'a.xml'), str(image)], check=True,
                           capture_output=True, text=True, timeout=60).stdout.splitlines()
    found, = (line.split('\t') for line in lines)
    wanted = Predictor(tmp_path / 'a.xml', threads=1)(image)
    assert found[1] == 'blue' and float(found[2]) == pytest.approx(float(wanted.scores[0]), abs=1e-4)
    np.testing.assert_allclose([float(side) for side in found[3:]], wanted.boxes[0], atol=.01)
