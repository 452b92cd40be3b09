import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmdet.datasets.transforms import LoadAnnotations, Resize
from mmdet.structures import DetDataSample
from mmengine.dataset import BaseDataset, Compose
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from mmseg.structures import SegDataSample

import lcvision.engine.hooks.picture_hook as module
from lcvision.engine.hooks.picture_hook import PictureHook
from lcvision.errors import UserError
from lcvision.registry import HOOKS

META = dict(classes=('cat', 'dog'), palette=[(255, 0, 0), (0, 0, 255)])
BOX = [20.0, 30.0, 60.0, 70.0]


class Images:
    """A dataset of plain grey images."""

    metainfo = META

    def __init__(self, folder, count, transforms=()):
        folder.mkdir(parents=True, exist_ok=True)
        self.paths = [str(folder / f'image_{index:02d}.png') for index in range(count)]
        for path in self.paths:
            cv2.imwrite(path, np.full((100, 140, 3), 128, np.uint8))
        self.pipeline = Compose(transforms)

    def __len__(self):
        return len(self.paths)


class Log:
    def __init__(self):
        self.lines = []

    def info(self, line):
        self.lines.append(line)


def sample(path, labels=(0,), true_labels=(), true=BOX, score=0.9):
    out = DetDataSample(metainfo=dict(img_path=path, ori_shape=(100, 140), scale_factor=(0.5, 0.5)))
    out.pred_instances = InstanceData(bboxes=torch.tensor([BOX] * len(labels)).reshape(-1, 4),
                                      labels=torch.tensor(labels, dtype=torch.long),
                                      scores=torch.full((len(labels),), score))
    out.gt_instances = InstanceData(bboxes=torch.tensor([true] * len(true_labels)).reshape(-1, 4),
                                    labels=torch.tensor(true_labels, dtype=torch.long))
    return out


def run_hook(hook, dataset, samples, batch=2):
    runner = SimpleNamespace(test_loop=SimpleNamespace(dataloader=SimpleNamespace(dataset=dataset)), logger=Log())
    hook.before_test_epoch(runner)
    for index in range(0, len(samples), batch):
        hook.after_test_iter(runner, index // batch, None, samples[index:index + batch])
    hook.after_test_epoch(runner)
    return runner


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def red(image):
    blue, green, red_ = (image[..., channel].astype(int) for channel in range(3))
    return (red_ > 180) & (blue < 90) & (green < 90)


def test_is_registered():
    assert HOOKS.get('lcvision.PictureHook') is PictureHook


def test_without_a_folder_it_draws_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = Images(tmp_path / 'in', 2)
    run_hook(PictureHook(), data, [sample(path) for path in data.paths])
    assert names(tmp_path) == ['in']


def test_every_image_has_a_picture_with_its_boxes(tmp_path):
    data = Images(tmp_path / 'in', 5)
    runner = run_hook(PictureHook(tmp_path / 'new' / 'out'), data, [sample(path) for path in data.paths])
    assert names(tmp_path / 'new' / 'out') == ['grid.png', *(f'image_{index:02d}.jpg' for index in range(5))]
    image = cv2.imread(str(tmp_path / 'new' / 'out' / 'image_03.jpg'))
    assert image.shape == (100, 140, 3)
    assert red(image[32:68, 20]).mean() > 0.9 and red(image[70, 22:58]).mean() > 0.9
    assert not red(image[:, 80:]).any() and not red(image[75:]).any()
    assert '5 pictures' in runner.logger.lines[0]


@pytest.mark.parametrize('score, drawn', [(0.29, False), (0.31, True)])
def test_low_scores_are_not_drawn(tmp_path, score, drawn):
    data = Images(tmp_path / 'in', 1)
    run_hook(PictureHook(tmp_path / 'out'), data, [sample(data.paths[0], score=score)])
    assert red(cv2.imread(str(tmp_path / 'out' / 'image_00.jpg'))).any() == drawn


@pytest.mark.parametrize('resized_last', [False, True])
def test_true_boxes_lie_right_whatever_the_order_of_the_pipeline(tmp_path, resized_last):
    transforms = [Resize(scale=(70, 50)), LoadAnnotations(with_bbox=True)]
    data = Images(tmp_path / 'in', 1, transforms[::-1] if resized_last else transforms)
    true = [10.0, 15.0, 30.0, 35.0] if resized_last else BOX
    run_hook(PictureHook(tmp_path / 'out'), data, [sample(data.paths[0], (), (0,), true)])
    image = cv2.imread(str(tmp_path / 'out' / 'image_00.jpg')).astype(int)
    rows, columns = np.nonzero(np.abs(image - 128).max(axis=2) > 60)
    found = [columns.min(), rows.min(), columns.max(), rows.max()]
    assert np.abs(np.array(found) - BOX).max() <= 1


def test_the_sheet_has_images_of_the_whole_split_those_with_objects_first(tmp_path, monkeypatch):
    data = Images(tmp_path / 'in', 30)
    true_labels = [()] * 30
    for index in (4, 13, 22):
        true_labels[index] = (0,)
    true_labels[24] = (0, 1)
    titles = []
    sheet = module.visualization.contact_sheet
    monkeypatch.setattr(module.visualization, 'contact_sheet',
                        lambda tiles, *rest: titles.extend(tiles) or sheet(tiles, *rest))
    samples = [sample(path, (), labels) for path, labels in zip(data.paths, true_labels, strict=True)]
    run_hook(PictureHook(tmp_path / 'out', grid_images=3), data, samples)
    assert [name for name, _ in titles] == ['image_04.png', 'image_13.png', 'image_24.png']
    titles.clear()
    run_hook(PictureHook(tmp_path / 'out', grid_images=9), data, samples)
    indices = [int(name[6:8]) for name, _ in titles]
    assert len(indices) == 9 and indices == sorted(indices)
    assert [index * 9 // 30 for index in indices] == list(range(9))


def test_the_sheet_shows_the_boxes_and_the_legend(tmp_path):
    data = Images(tmp_path / 'in', 4)
    run_hook(PictureHook(tmp_path / 'out'), data, [sample(path) for path in data.paths])
    page = cv2.imread(str(tmp_path / 'out' / 'grid.png'))
    grey = (page == 128).all(axis=2)
    columns = np.flatnonzero(grey.any(axis=0))
    assert np.count_nonzero(np.diff(columns) > 10) == 2, 'three columns'
    bottom = np.flatnonzero(grey.any(axis=1)).max()
    assert red(page[:bottom]).sum() > 4 * 400
    foot = page[bottom + 1:]
    assert (foot == (0, 0, 255)).all(axis=2).any() and (foot == (255, 0, 0)).all(axis=2).any()


@pytest.mark.parametrize('count', [0, 1, 4, 12, 50])
def test_max_images_are_spread_over_the_split(tmp_path, count):
    data = Images(tmp_path / 'in', 12)
    run_hook(PictureHook(tmp_path / 'out', max_images=count), data, [sample(path) for path in data.paths])
    written = [int(name[6:8]) for name in names(tmp_path / 'out') if name != 'grid.png']
    assert len(written) == min(count, 12)
    if count == 4:
        assert written == [0, 3, 6, 9]
    assert 'grid.png' in names(tmp_path / 'out')


def test_images_of_one_name_do_not_overwrite_each_other(tmp_path):
    data = Images(tmp_path / 'in' / 'a', 1)
    other = Images(tmp_path / 'in' / 'b', 1)
    data.paths += other.paths
    for _ in range(2):  # a second test gives the same names
        run_hook(PictureHook(tmp_path / 'out'), data, [sample(path) for path in data.paths])
        assert names(tmp_path / 'out') == ['grid.png', 'image_00.jpg', 'image_00_2.jpg']


def test_the_data_and_a_sheet_of_the_users_stay(tmp_path):
    data = Images(tmp_path, 2)
    files = [Path(path).rename(path.replace('.png', '.jpg')) for path in data.paths]
    data.paths = [str(path) for path in files]
    (tmp_path / 'grid.png').write_bytes(b'mine')
    before = [path.read_bytes() for path in files]
    for _ in range(2):
        runner = run_hook(PictureHook(tmp_path), data, [sample(path) for path in data.paths])
        assert [path.read_bytes() for path in files] == before and (tmp_path / 'grid.png').read_bytes() == b'mine'
        assert 'grid_2.png' in runner.logger.lines[0]
    assert names(tmp_path) == ['grid.png', 'grid_2.png', *(f'image_0{index}{end}.jpg' for index in range(2)
                                                           for end in ('', '_2'))]


def test_only_the_first_rank_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'is_main_process', lambda: False)
    data = Images(tmp_path / 'in', 2)
    run_hook(PictureHook(tmp_path / 'out'), data, [sample(path) for path in data.paths])
    assert not (tmp_path / 'out').exists()


def test_the_first_rank_spreads_over_its_share(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'get_world_size', lambda: 2)
    data = Images(tmp_path / 'in', 12)
    run_hook(PictureHook(tmp_path / 'out', max_images=3), data, [sample(path) for path in data.paths[::2]])
    assert names(tmp_path / 'out') == ['grid.png', 'image_00.jpg', 'image_04.jpg', 'image_08.jpg']


def test_label_maps_have_pictures_with_a_legend_and_a_sheet(tmp_path):
    data = Images(tmp_path / 'in', 2)
    samples = []
    for path in data.paths:
        labels = torch.zeros((1, 100, 140), dtype=torch.uint8)
        labels[:, :, 70:] = 1
        samples.append(SegDataSample(metainfo=dict(img_path=path, ori_shape=(100, 140)),
                                     pred_sem_seg=PixelData(data=labels), gt_sem_seg=PixelData(data=labels.long())))
    run_hook(PictureHook(tmp_path / 'out'), data, samples)
    assert names(tmp_path / 'out') == ['grid.png', 'image_00.jpg', 'image_01.jpg']
    image = cv2.imread(str(tmp_path / 'out' / 'image_00.jpg')).astype(int)
    assert image.shape[1] == 140 and image.shape[0] > 120
    assert (image[:90, :60, 2] - image[:90, :60, 0] > 100).all()
    assert (image[:90, 80:, 0] - image[:90, 80:, 2] > 100).all()
    assert red(image[100:]).sum() > 50
    page = cv2.imread(str(tmp_path / 'out' / 'grid.png'))
    assert (page == (0, 0, 255)).all(axis=2).sum() > 100 and (page == (255, 0, 0)).all(axis=2).sum() > 100


def test_a_file_as_folder_is_a_users_mistake(tmp_path):
    (tmp_path / 'out').write_text('')
    with pytest.raises(UserError, match='out is a file'):
        PictureHook(tmp_path / 'out')


def test_a_folder_that_cannot_be_made_is_told_before_the_test(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='cannot be written'):
        run_hook(PictureHook(tmp_path / 'file' / 'out'), Images(tmp_path / 'in', 1), [])


@pytest.mark.skipif(not Path('/proc/self').is_dir(), reason='needs a folder that nobody can write to')
def test_an_unwritable_folder_is_told_before_the_test(tmp_path):
    with pytest.raises(UserError, match='/proc cannot be written'):
        run_hook(PictureHook('/proc'), Images(tmp_path / 'in', 1), [])


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, 'No space left on device')

    data = Images(tmp_path / 'in', 1)
    monkeypatch.setattr(Path, 'write_bytes', full)
    with pytest.raises(UserError, match=r'image_00\.jpg cannot be written \(No space left'):
        run_hook(PictureHook(tmp_path / 'out'), data, [sample(data.paths[0])])


def test_results_without_boxes_are_told(tmp_path):
    data = Images(tmp_path / 'in', 1)
    with pytest.raises(UserError, match='nothing to draw'):
        run_hook(PictureHook(tmp_path / 'out'), data, [DetDataSample(metainfo=dict(img_path=data.paths[0]))])


@pytest.mark.parametrize('wrong', [dict(score_thr=1.5), dict(score_thr='0.3'), dict(max_images=-1),
                                   dict(max_images=2.5), dict(grid_images=0)])
def test_arguments_are_checked(tmp_path, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PictureHook(tmp_path, **wrong)


class Finder(BaseModel):
    """Finds one cat in every image."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return [sample(path) for path in inputs]


class Files(BaseDataset):
    METAINFO = META

    def __getitem__(self, index):
        return dict(inputs=self.get_data_info(index)['img_path'])


class Nothing(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(len(data_samples))

    def compute_metrics(self, results):
        return dict(images=sum(results))


def test_in_a_runner(tmp_path):
    images = Images(tmp_path / 'in', 7)
    listing = dict(metainfo={}, data_list=[dict(img_path=path) for path in images.paths])
    (tmp_path / 'list.json').write_text(json.dumps(listing))
    loader = dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
                  dataset=Files(ann_file=str(tmp_path / 'list.json')))
    runner = Runner(Finder(), str(tmp_path / 'work'), test_dataloader=loader, test_cfg=dict(), log_level='ERROR',
                    test_evaluator=Nothing(), experiment_name=tmp_path.name,
                    custom_hooks=[dict(type='lcvision.PictureHook', out_dir=str(tmp_path / 'out'))])
    assert runner.test() == dict(images=7)
    assert names(tmp_path / 'out') == ['grid.png', *(f'image_{index:02d}.jpg' for index in range(7))]
