# EfficientNet-eLite and -HF as classifiers; a config sets the backbone's arch and the head's widths. Drop-connect is
# that of the code the authors built on, dropout that of EfficientNet-B0: for the smaller models neither is published.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='lcvision.EfficientNetELite', arch='elite0', drop_connect=0.2, out_indices=(3,)),
    head=dict(
        type='lcvision.ConvGapHead',
        num_classes=1000,
        in_channels=320,
        mid_channels=1280,
        dropout=0.2,
        norm_cfg=dict(type='BN', eps=1e-3, momentum=0.01),
        act_cfg=dict(type='SiLU'),
        # The classifier is initialised uniformly within 1 / sqrt(classes).
        init_cfg=[
            dict(type='Kaiming', layer='Conv2d', mode='fan_out', nonlinearity='relu'),
            dict(type='Constant', layer='_BatchNorm', val=1),
            dict(type='Kaiming', layer='Linear', a=5**0.5, mode='fan_out', nonlinearity='leaky_relu',
                 distribution='uniform'),
        ],
        loss=dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, mode='original')))
