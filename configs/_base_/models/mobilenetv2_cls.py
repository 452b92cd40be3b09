# MobileNetV2 of PaddleClas, with widths cut to whole numbers, as a classifier; a config sets the backbone's scale and
# the head's in_channels, 320 times the scale.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='lcvision.MobileNetV2', scale=1.0, style='paddle', out_indices=(3,)),
    head=dict(
        type='lcvision.ConvGapHead',
        num_classes=1000,
        in_channels=320,
        mid_channels=1280,
        dropout=0.,
        act_cfg=dict(type='ReLU6'),
        loss=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0)))
