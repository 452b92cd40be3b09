# MobileNetV3 of PaddleClas as a classifier; a config sets the backbone's arch and scale and the head's in_channels and
# mid_channels: 160 and 960 (large) or 96 and 576 (small) times the scale, rounded to multiples of 8.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='lcvision.MobileNetV3', arch='large', scale=1.0, style='paddle', out_indices=(3,)),
    head=dict(
        type='lcvision.MobileNetV3Head',
        num_classes=1000,
        in_channels=160,
        mid_channels=960,
        expand_channels=1280,
        dropout=0.2,
        loss=dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, mode='original')))
