# PP-LCNet 0.5x in the paper's table 5: 58.36 mIoU, 82 ms on 10 threads of a Xeon Gold 6148.
_base_ = './deeplabv3plus_pplcnet_1x.py'

model = dict(backbone=dict(scale=0.5), decode_head=dict(in_channels=[32, 256]))
