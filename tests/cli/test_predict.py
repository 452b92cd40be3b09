"""tools/predict.py as a user runs it."""
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from lcvision.cli import run_tool
from lcvision.cli.predict import main
from tests.cli.conftest import CONFIG, ROOT, call
from tests.inference.small_models import SEGMENTOR, images, save, shaken_model, small_config


def test_the_newest_run_draws_a_folder(learned, tmp_path):
    data, trained = learned
    out = tmp_path / 'out'
    done = call('predict', str(data / 'val2017'), '--out', str(out), '--score-thr', '0.05', '--threads', '1',
                cwd=Path(trained.work_dir).parents[1])
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'predicting with the newest run: work_dirs/learned/' in done.stdout and '16 image(s)' in done.stdout
    content = json.loads((out / 'results.json').read_text())
    assert content['task'] == 'detection' and content['engine'] == 'eager' and content['threads'] == 1
    assert content['classes'] == ['cup', 'fork'] and content['images'] == 16 and content['complete']
    names = sorted(path.name for path in (data / 'val2017').iterdir())
    assert [entry['image'] for entry in lines(out)] == names
    for entry in lines(out):
        image = cv2.imread(str(data / 'val2017' / entry['image']))
        assert cv2.imread(str(out / entry['picture'])).shape == image.shape
        assert entry['objects']
        assert all(one['name'] in content['classes'] and len(one['box']) == 4 for one in entry['objects'])


@pytest.fixture
def predict(tmp_path, monkeypatch):
    """Runs the tool with a small segmentor, into the folder ``out``."""
    monkeypatch.chdir(ROOT)
    config = small_config(SEGMENTOR)
    config.dump(tmp_path / 'config.py')
    checkpoint = save(shaken_model(config), tmp_path / 'model.pth')
    return lambda source, out: run_tool(lambda: main(
        [str(source), '--config', str(tmp_path / 'config.py'), '--checkpoint', checkpoint, '--out', str(out),
         '--threads', '1']))


def lines(out):
    return [json.loads(line) for line in (out / 'results.jsonl').read_text().splitlines()]


def write_images(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / name), images(SEGMENTOR)[1])


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_label_maps_are_written(predict, tmp_path):
    write_images(tmp_path / 'source', 'a.png', 'a.jpg', 'sub/b.png')
    out = tmp_path / 'out'
    assert predict(tmp_path / 'source', out) == 0
    assert [entry['labels'] for entry in lines(out)] == ['labels/a.png', 'labels/a_2.png', 'labels/sub/b.png']
    for entry in lines(out):
        labels = cv2.imread(str(out / entry['labels']), cv2.IMREAD_UNCHANGED)
        assert labels.shape == images(SEGMENTOR)[1].shape[:2] and labels.dtype == np.uint8
        assert sum(entry['shares'].values()) == pytest.approx(1, abs=1e-3)
        assert len(np.unique(labels)) == len(entry['shares'])
    for name in ('a.jpg', 'a_2.jpg', 'sub/b.jpg'):
        assert cv2.imread(str(out / name)).shape[1] == images(SEGMENTOR)[1].shape[1]
    first = contents(out)
    assert predict(tmp_path / 'source', out) == 0
    assert contents(out) == first, 'a second run takes the names of the first'


@pytest.mark.parametrize('source', ['photos/a.jpg', 'photos/new'])
def test_a_users_picture_is_never_replaced(source, predict, tmp_path):
    photos = tmp_path / 'photos'
    write_images(photos, 'a.jpg', 'b.jpg', 'new/a.jpg', 'labels/a.png')
    before = contents(photos)
    for _ in range(2):
        assert predict(tmp_path / source, photos) == 0
        assert contents(photos).items() >= before.items()
        entry, = lines(photos)
        assert (entry['image'], entry['picture'], entry['labels']) == ('a.jpg', 'a_2.jpg', 'labels/a_2.png')
    assert set(contents(photos)) - set(before) == {'a_2.jpg', 'labels/a_2.png', 'results.jsonl', 'results.json'}


def test_names_that_differ_in_capitals_are_kept_apart(predict, tmp_path):
    write_images(tmp_path / 'source', 'A.jpg', 'a.jpg', 'a.JPEG')
    assert predict(tmp_path / 'source', tmp_path / 'out') == 0
    assert [entry['picture'] for entry in lines(tmp_path / 'out')] == ['A.jpg', 'a_2.jpg', 'a_3.jpg']


def test_results_of_another_tool_are_refused_before_the_work(predict, tmp_path, capsys):
    write_images(tmp_path / 'source', 'a.jpg')
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'results.jsonl').write_text('{"mine": 1}')
    assert predict(tmp_path / 'source', tmp_path / 'out') == 2
    assert 'did not write' in capsys.readouterr().err and len(contents(tmp_path / 'out')) == 1


def test_a_torn_image_is_skipped_and_listed(predict, tmp_path, capsys):
    source, out = tmp_path / 'source', tmp_path / 'out'
    write_images(source, 'a.jpg', 'b.jpg', 'c.jpg')
    (source / 'b.jpg').write_bytes((source / 'b.jpg').read_bytes()[:200])
    assert predict(source, out) == 1
    assert [entry['image'] for entry in lines(out)] == ['a.jpg', 'b.jpg', 'c.jpg']
    assert 'ends early' in lines(out)[1]['error'] and 'picture' not in lines(out)[1]
    run = json.loads((out / 'results.json').read_text())
    assert (run['images'], run['skipped'], run['complete']) == (2, 1, True)
    message = capsys.readouterr().err
    assert message.startswith('1 file(s) could not be read') and 'b.jpg ends early' in message


def test_what_was_done_stays_when_the_run_is_interrupted(predict, tmp_path, monkeypatch):
    source, out = tmp_path / 'source', tmp_path / 'out'
    write_images(source, 'a.jpg', 'b.jpg', 'c.jpg')
    drawn = []

    def draw(self, image, result, score_thr):
        drawn.append([entry['image'] for entry in lines(out)])
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return image

    monkeypatch.setattr('lcvision.inference.Predictor.draw', draw)
    assert predict(source, out) == 130
    assert drawn == [[], ['a.jpg'], ['a.jpg', 'b.jpg']], 'a line is written as soon as its image is done'
    run = json.loads((out / 'results.json').read_text())
    assert (run['images'], run['complete']) == (2, False)


@pytest.mark.parametrize('arguments, word', [
    (['nowhere'], 'there is no nowhere'),
    (['x' * 5000], 'there is no xxx'),
    (['{folder}', '--out', '{folder}/out'], 'lies within'),
    (['{folder}', '--checkpoint', 'x.pth'], 'without --config'),
    (['{folder}', '--config', CONFIG, '--checkpoint', 'x.pth'], 'no weights file x.pth'),
    (['{folder}', '--score-thr', '3'], 'from 0 to 1'),
    (['{folder}', '--out', '{folder}.txt'], 'no folder that can be written'),
])
def test_faults_are_one_sentence(arguments, word, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    folder = tmp_path / 'images'
    folder.mkdir()
    folder.with_suffix('.txt').write_text('a file')
    arguments = [argument.format(folder=folder) for argument in arguments]
    if '--out' not in arguments:
        arguments += ['--out', str(tmp_path / 'out')]
    assert run_tool(lambda: main(arguments)) == 2
    message = capsys.readouterr().err
    assert word in message and message.count('\n') == 1
