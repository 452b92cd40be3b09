"""Every option is applied once, in its place."""
from pathlib import Path

from lcvision.config import override
from lcvision.datasets.sample.sets import render_detection_sample
from lcvision.training.prepare import prepare
from tests.datasets import street_like

CONFIGS = Path(__file__).parents[2] / 'configs'


def prepared(name, data, options, train=True, memory_format='auto', **asked):
    return prepare(CONFIGS / name, data, options, train=train, work_dir='nowhere', memory_format=memory_format,
                   launcher='none', local_rank=0, **asked)


def test_every_option_is_applied_once(tmp_path, monkeypatch):
    render_detection_sample(tmp_path, train_images=8, val_images=2)
    applied = []
    monkeypatch.setattr('lcvision.training.prepare.override',
                        lambda cfg, options: (applied.append((cfg, list(options or ()))), override(cfg, options))[1])
    options = {'train_dataloader': {'batch_size': 4}, 'param_scheduler.1.end': 7, 'image_size': (64, 64),
               'train_cfg.val_interval': 9}
    cfg = prepared('detection/picodet_pplcnet_0_5x_sample.py', tmp_path, options, epochs=2).cfg
    once = [key for other, keys in applied if other is cfg for key in keys]
    assert sorted(once) == ['image_size', 'param_scheduler.1.end', 'train_cfg.val_interval',
                            'train_dataloader.batch_size']
    assert (cfg.train_dataloader.batch_size, cfg.param_scheduler[1].end, cfg.train_cfg.val_interval) == (4, 7, 9)
    assert cfg.model.bbox_head.num_classes == 8


def test_the_size_that_a_config_is_for_gives_way_to_that_of_the_images(tmp_path):
    root = street_like.cityscapes(tmp_path / 'city')
    cfg = prepared('segmentation/deeplabv3plus_pplcnet_0_5x.py', root, {'image_size': (80, 48)}).cfg
    assert tuple(cfg.image_size) == (40, 24)


def test_class_weights_of_the_data_are_kept(tmp_path):
    root = street_like.cityscapes(tmp_path / 'city')
    key, weights = 'model.decode_head.loss_decode.class_weight', [2.] * 18 + [3.]
    cfg = prepared('segmentation/deeplabv3plus_pplcnet_0_5x.py', root, {key: weights}).cfg
    assert cfg.model.decode_head.loss_decode.class_weight == weights


def test_iterations_asked_for_scale_the_schedule_and_its_own_options_stand(tmp_path):
    root = street_like.cityscapes(tmp_path / 'city')
    name = 'segmentation/deeplabv3plus_pplcnet_0_5x.py'
    cfg = prepared(name, root, {'train_cfg.max_iters': 800, 'train_cfg.val_interval': 800}).cfg
    assert (cfg.param_scheduler[-1].end, cfg.train_cfg.max_iters, cfg.train_cfg.val_interval) == (801, 800, 800)


def test_freed_memory_is_kept_whatever_the_memory_format(tmp_path, monkeypatch):
    render_detection_sample(tmp_path, train_images=8, val_images=2)
    settings = []
    monkeypatch.setattr('lcvision.training.prepare.keep_freed_memory', lambda: settings.append('kept'))
    prepared('detection/picodet_pplcnet_0_5x_sample.py', tmp_path, {'train_dataloader.batch_size': 4},
             memory_format='channels_last')
    assert settings == ['kept']


def test_no_two_runs_of_a_process_have_the_same_name(tmp_path):
    render_detection_sample(tmp_path, train_images=8, val_images=2)
    options = {'train_dataloader.batch_size': 4}
    names = {prepared('detection/picodet_pplcnet_0_5x_sample.py', tmp_path, options).cfg.experiment_name
             for _ in range(2)}
    assert len(names) == 2 and all(name.startswith('picodet_pplcnet_0_5x_sample_') for name in names)
