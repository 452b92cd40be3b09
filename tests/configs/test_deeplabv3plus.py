"""The rows of table 5: sizes, output strides, weight decay and schedule."""
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, PARAM_SCHEDULERS, init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from lcvision.complexity import count_params
from lcvision.deploy.network import build_model, example_input, raw_network
from lcvision.tasks import SEGMENTATION, task_of

# Parameters as counted on the reference's networks, and of their backbones.
ROWS = {
    'pplcnet_0_5x': (1_098_003, 270_896),
    'pplcnet_1x': (2_181_699, 1_016_160),
    'mobilenetv3_large_0_5x': (1_333_385, 738_662),
    'mobilenetv3_large_0_75x': (2_269_555, 1_621_808),
}
RATIOS = {32: [1, 3, 6, 9], 16: [1, 6, 12, 18], 8: [1, 12, 24, 36]}
SIZE = (70, 97)


def load(name, **options):
    init_default_scope('mmseg')
    config = Config.fromfile(f'configs/segmentation/deeplabv3plus_{name}.py')
    config.merge_from_dict(options)
    return config, MODELS.build(config.model)


def batch():
    """Two images that no stride divides, with a corner that does not count."""
    label = torch.randint(19, (2, 1, *SIZE))
    label[..., :9, :9] = 255
    data_samples = [SegDataSample(gt_sem_seg=PixelData(data=item), metainfo=dict(img_shape=SIZE, ori_shape=SIZE))
                    for item in label]
    return dict(inputs=list(torch.randint(256, (2, 3, *SIZE), dtype=torch.uint8)), data_samples=data_samples)


@pytest.mark.parametrize('name', ROWS)
def test_parameters_equal_the_reference(name):
    config, model = load(name)
    assert (count_params(model), count_params(model.backbone)) == ROWS[name]
    channels = model.backbone.out_channels
    assert tuple(config.model.decode_head.in_channels) == (channels[0], channels[3])
    assert model.backbone.out_strides == (4, 8, 16, 32)


@pytest.mark.parametrize('output_stride', RATIOS)
@pytest.mark.parametrize('name', ['pplcnet_0_5x', 'mobilenetv3_large_0_5x'])
def test_every_output_stride_trains_and_predicts(name, output_stride):
    config, model = load(name, **{'model.backbone.output_stride': output_stride,
                                  'model.decode_head.aspp_ratios': RATIOS[output_stride]})
    model.init_weights()
    model.load_state_dict(load(name)[1].state_dict(), strict=True)
    optim_wrapper = build_optim_wrapper(model, config.optim_wrapper)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    ready = model.data_preprocessor(batch(), training=True)
    feats = model.train().extract_feat(ready['inputs'])
    assert feats[-1].shape[2:] == tuple(-(-side // output_stride) for side in SIZE)
    loss, _ = model.parse_losses(model(**ready, mode='loss'))
    assert loss.isfinite() and 2 < loss < 6
    optim_wrapper.update_params(loss)
    assert all(p.isfinite().all() for p in model.parameters())
    assert sum(not torch.equal(p, before[name]) for name, p in model.named_parameters()) > 0.9 * len(before)
    data = batch()
    with torch.no_grad():
        results = model.eval().test_step(data)
        logits = model(model.data_preprocessor(data)['inputs'], mode='tensor')
    labels = F.interpolate(logits, SIZE, mode='bilinear', align_corners=False).argmax(1, keepdim=True)
    for result, label in zip(results, labels, strict=True):
        assert result.pred_sem_seg.data.shape == (1, *SIZE)
        # Where two logits are a rounding error apart either class may win.
        assert (result.pred_sem_seg.data != label).sum() <= 3


def test_images_are_normalised_and_padded_as_the_reference_pads_them():
    """Middle grey is 0, red comes first, and what is added to the right and below is 0 and does not count."""
    _, model = load('pplcnet_0_5x')
    data = batch()
    data['inputs'][0] = torch.tensor([0, 127, 255], dtype=torch.uint8)[:, None, None].expand(3, 40, 50)
    data['data_samples'][0].gt_sem_seg = PixelData(data=data['data_samples'][0].gt_sem_seg.data[:, :40, :50])
    ready = model.data_preprocessor(data, training=True)
    image, label = ready['inputs'][0], ready['data_samples'][0].gt_sem_seg.data
    torch.testing.assert_close(image[:, 5, 5], torch.tensor([1., -0.5 / 127.5, -1.]))
    assert image.shape[1:] == label.shape[1:] == SIZE
    assert not image[:, 40:].any() and not image[:, :, 50:].any()
    assert (label[:, 40:] == 255).all() and (label[:, :, 50:] == 255).all() and (label[:, 9:40, :50] != 255).all()


@pytest.mark.parametrize('name', ROWS)
def test_norms_of_the_backbone_alone_do_not_decay(name):
    config, model = load(name)
    groups = build_optim_wrapper(model, config.optim_wrapper).optimizer.param_groups
    decay = {id(p): group['weight_decay'] for group in groups for p in group['params']}
    assert {(group['lr'], group['momentum']) for group in groups} == {(0.01, 0.9)}
    norms = {name for name, module in model.named_modules() if isinstance(module, _BatchNorm)}
    for name, _ in model.named_parameters():
        exempt = name.startswith('backbone.') and name.rpartition('.')[0] in norms
        assert decay[id(model.get_parameter(name))] == (0 if exempt else 4e-5), name
    assert any(name.startswith('decode_head.') for name in norms)


def test_rate_follows_the_power():
    config, _ = load('pplcnet_1x')
    assert config.train_cfg.max_iters == 80000 and config.train_dataloader.batch_size == 32
    assert config.auto_scale_lr == dict(enable=True, base_batch_size=32)
    (scheduler,) = config.param_scheduler
    steps = scheduler.end - 1
    assert steps == config.train_cfg.max_iters and not scheduler.by_epoch
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.01)
    steps = 200
    short = PARAM_SCHEDULERS.build(dict(scheduler, end=steps + 1), default_args=dict(optimizer=optimizer))
    for step in range(steps):
        assert optimizer.param_groups[0]['lr'] == pytest.approx(0.01 * (1 - step / steps) ** 0.9)
        optimizer.step()
        short.step()
    assert optimizer.param_groups[0]['lr'] == 0


def test_hooks_count_iterations():
    config, _ = load('pplcnet_0_5x')
    checkpoint = config.default_hooks.checkpoint
    assert checkpoint.type == 'lcvision.AtomicCheckpointHook' and not checkpoint.by_epoch
    assert checkpoint.save_best == 'mIoU' and config.train_cfg.val_interval == checkpoint.interval
    assert not config.log_processor.by_epoch and config.default_scope == 'mmseg'
    assert 'custom_hooks' not in config
    assert config.model.test_cfg.mode == 'whole'


def test_measured_network_ends_at_stride_4():
    config, _ = load('mobilenetv3_large_0_5x')
    model = build_model(config, input_size=(64, 96))
    (logits,) = raw_network(model, (64, 96))(example_input((64, 96)))
    assert task_of(model) is SEGMENTATION and logits.shape == (1, 19, 16, 24)
