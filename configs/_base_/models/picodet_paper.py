# PicoDet as the PP-LCNet paper used it (July to September 2021): bilinear PAN, generalized focal loss, three levels.
# The neck's width is not in the paper; 96 is what configs of that time use with LCNet (assumed).
_base_ = './picodet.py'

neck_channels = 96

model = dict(
    neck=dict(type='lcvision.PicoPAN', out_channels=neck_channels),
    bbox_head=dict(
        type='lcvision.PicoHeadGFL',
        in_channels=neck_channels,
        stacked_convs=2,
        strides=[8, 16, 32],
        loss_cls=dict(type='QualityFocalLoss', use_sigmoid=True, beta=2.0, loss_weight=1.0),
        loss_dfl=dict(type='DistributionFocalLoss', loss_weight=0.25)),
    train_cfg=dict(assigner=dict(type='lcvision.PicoATSSAssigner', topk=9)),
    test_cfg=dict(nms_pre=1000))
