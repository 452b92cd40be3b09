# What the three generations of PicoDet share.
model = dict(
    type='SingleStageDetector',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=32),
    backbone=dict(type='lcvision.PPLCNet', scale=1.0, out_indices=(1, 2, 3)),
    neck=dict(in_channels=[128, 256, 512]),
    bbox_head=dict(num_classes=80, reg_max=7, loss_bbox=dict(type='GIoULoss', eps=1e-10, loss_weight=2.0)),
    test_cfg=dict(score_thr=0.025, nms=dict(type='nms', iou_threshold=0.6), nms_top_k=1000, max_per_img=100))
