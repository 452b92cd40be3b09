# PicoDet as the PP-LCNet paper used it (July to September 2021): bilinear PAN, generalized focal loss, three levels.
# The neck's width is not in the paper; 96 is what that time's configs use with LCNet (assumed).
neck_channels = 96

model = dict(
    type='SingleStageDetector',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=32),
    backbone=dict(type='lcvision.PPLCNet', scale=1.0, out_indices=(1, 2, 3)),
    neck=dict(type='lcvision.PicoPAN', in_channels=[128, 256, 512], out_channels=neck_channels),
    bbox_head=dict(
        type='lcvision.PicoHeadGFL',
        num_classes=80,
        in_channels=neck_channels,
        stacked_convs=2,
        strides=[8, 16, 32],
        reg_max=7,
        loss_cls=dict(type='QualityFocalLoss', use_sigmoid=True, beta=2.0, loss_weight=1.0),
        loss_dfl=dict(type='DistributionFocalLoss', loss_weight=0.25),
        loss_bbox=dict(type='GIoULoss', eps=1e-10, loss_weight=2.0)),
    train_cfg=dict(assigner=dict(type='lcvision.PicoATSSAssigner', topk=9)),
    test_cfg=dict(
        nms_pre=1000, score_thr=0.025, nms=dict(type='nms', iou_threshold=0.6), nms_top_k=1000, max_per_img=100))
