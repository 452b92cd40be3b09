# PicoDet of October 2021: CSP-PAN, SimOTA and the varifocal loss, four levels.
neck_channels = 128

model = dict(
    type='SingleStageDetector',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=32),
    backbone=dict(type='lcvision.PPLCNet', scale=1.0, out_indices=(1, 2, 3)),
    neck=dict(type='lcvision.CSPPAN', in_channels=[128, 256, 512], out_channels=neck_channels, num_outs=4),
    bbox_head=dict(
        type='lcvision.PicoHeadOTA',
        num_classes=80,
        in_channels=neck_channels,
        stacked_convs=4,
        strides=[8, 16, 32, 64],
        reg_max=7,
        loss_cls=dict(type='VarifocalLoss', use_sigmoid=True, iou_weighted=True, loss_weight=1.0),
        loss_dfl=dict(type='DistributionFocalLoss', loss_weight=0.25),
        loss_bbox=dict(type='GIoULoss', eps=1e-10, loss_weight=2.0)),
    train_cfg=dict(assigner=dict(type='lcvision.PicoSimOTAAssigner', center_radius=2.5, candidate_topk=10)),
    test_cfg=dict(score_thr=0.025, nms=dict(type='nms', iou_threshold=0.6), nms_top_k=1000, max_per_img=100))
