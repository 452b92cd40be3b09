# MobileNetV3-large 0.75x in the paper's table 5: 64.53 mIoU, 151 ms on 10 threads of a Xeon Gold 6148.
_base_ = './deeplabv3plus_pplcnet_1x.py'

model = dict(
    backbone=dict(
        type='lcvision.MobileNetV3',
        arch='large',
        scale=0.75,
        # The reference's network of September 2021, when the paper was written: hard-swish in every layer and padding
        # as in TensorFlow (assumed; the paper shows no code). 'paddle' is today's network and 'torchvision' that of
        # most published weights: both have ReLU in their early layers.
        style='paddleseg2021'),
    decode_head=dict(in_channels=[24, 120]))
