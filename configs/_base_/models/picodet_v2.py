# PicoDet v2 (March 2022): LC-PAN, a gated head whose score is class times alignment, four levels. The sizes change
# the backbone's width, the neck's channels and the blocks of a tower; this is S.
_base_ = './picodet.py'

neck_channels = 96

model = dict(
    backbone=dict(scale=0.75),
    neck=dict(type='lcvision.LCPAN', in_channels=[96, 192, 384], out_channels=neck_channels, kernel_size=5, num_outs=4),
    bbox_head=dict(
        type='lcvision.PicoHeadV2',
        in_channels=neck_channels,
        stacked_convs=2,
        strides=[8, 16, 32, 64],
        loss_cls=dict(type='VarifocalLoss', use_sigmoid=True, alpha=0.75, gamma=2.0, loss_weight=1.0),
        loss_dfl=dict(type='DistributionFocalLoss', loss_weight=0.5),
        loss_bbox=dict(loss_weight=2.5)),
    # Epochs count from 0: the first 100 use the initial assigner.
    train_cfg=dict(
        initial_epoch=100,
        initial_assigner=dict(type='lcvision.PicoATSSAssigner', topk=9, version='2022'),
        assigner=dict(type='lcvision.PicoTaskAlignedAssigner', topk=13),
        alpha=1,
        beta=6))
