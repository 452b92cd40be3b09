# DeepLabV3+ with PP-LCNet 1x, as in the PP-LCNet paper. A config of another width sets in_channels to the first and the
# last of the backbone's four widths. Every backbone of this package takes output_stride, and the dilations depend on
# it; weights of one output stride fit any other:
#   output_stride 32: (1, 6, 12, 18), or (1, 3, 6, 9) for the same field of view in pixels as at 16
#   output_stride 16: (1, 6, 12, 18)
#   output_stride 8:  (1, 12, 24, 36)
# e.g. --cfg-options model.backbone.output_stride=8 model.decode_head.aspp_ratios=1,12,24,36
model = dict(
    type='lcvision.LeanEncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        bgr_to_rgb=True,
        # Pads images smaller than the batch's largest with mid-grey: 127.5 in the reference, which pads before
        # normalising, is 0 here.
        size_divisor=1,
        pad_val=0,
        seg_pad_val=255),
    backbone=dict(type='lcvision.PPLCNet', scale=1.0, output_stride=32),
    decode_head=dict(
        type='lcvision.DeepLabV3PlusHead',
        in_channels=[64, 512],
        in_index=[0, 3],
        channels=256,
        num_classes=19,
        # Not in the paper: the reference's default (assumed).
        aspp_ratios=(1, 6, 12, 18),
        aspp_channels=256,
        low_level_channels=48,
        dropout_ratio=0.1,
        ignore_index=255,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    # argmax='coarse' takes labels at stride 4 instead of from the upsampled logits.
    test_cfg=dict(mode='whole', argmax='exact'))
