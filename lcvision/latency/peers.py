"""The networks that users of a CPU choose between, ours and others, with the accuracy that somebody has published."""
from dataclasses import dataclass

from lcvision.papers import PAPERS

_EXPORTED = '.onnx'
_BEFORE = {'detection': 'PicoDet, ', 'segmentation': 'DeepLabV3+, ', 'classification': ''}


@dataclass(frozen=True)
class Peer:
    """A network to measure beside others.

    Attributes:
        task: Of :mod:`lcvision.tasks`.
        config: Name of a config, ours or a framework's, without its ending; or of an ONNX file, with it, which another
            package has to write.
        title: As its authors call it.
        accuracy: Published, in percent: AP on COCO val2017, mIoU on Cityscapes val or top-1 on ImageNet-1k; None where
            none is.
        source: Who published it; '' where nobody did.
        ours: Whether its config is one of this package.
    """

    task: str
    config: str
    title: str
    accuracy: float | None
    source: str
    ours: bool

    @property
    def exported(self) -> bool:
        """Whether it is an ONNX file."""
        return self.config.endswith(_EXPORTED)

    @property
    def stem(self) -> str:
        """What a record of it is called."""
        return self.config.removesuffix(_EXPORTED)


_PRINTED = {row.config: (row, paper.title) for paper in PAPERS for row in paper.rows if row.config}


def _peers(task: str, ours: str, others: str) -> tuple[Peer, ...]:
    """Reads lines of config | title | accuracy | source; of ours, those that a paper prints have the config alone."""
    peers = []
    for own, lines in ((True, ours), (False, others)):
        for line in lines.strip().splitlines():
            config, *cells = (cell.strip() for cell in line.split('|'))
            if not cells:
                row, paper = _PRINTED[config]
                table = f', table {row.table}' if row.table.isdigit() else ''
                peers.append(Peer(task, config, _BEFORE[task] + row.model, row.accuracy, paper + table, own))
            else:
                title, accuracy, source = cells
                peers.append(Peer(task, config, title, None if accuracy == '-' else float(accuracy),
                                  source.strip('-'), own))
    return tuple(peers)


PEERS = (
    *_peers('detection', """
picodet_v2_xs_320            | PicoDet v2 XS 320         | 23.5 | PaddleDetection
picodet_v2_xs_416            | PicoDet v2 XS 416         | 26.2 | PaddleDetection
picodet_v2_s_320             | PicoDet v2 S 320          | 29.1 | PaddleDetection
picodet_v2_s_416             | PicoDet v2 S 416          | 32.5 | PaddleDetection
picodet_v2_m_320             | PicoDet v2 M 320          | 34.4 | PaddleDetection
picodet_v2_m_416             | PicoDet v2 M 416          | 37.5 | PaddleDetection
picodet_v2_l_320             | PicoDet v2 L 320          | 36.1 | PaddleDetection
picodet_v2_l_416             | PicoDet v2 L 416          | 39.4 | PaddleDetection
picodet_v2_l_640             | PicoDet v2 L 640          | 42.6 | PaddleDetection
picodet_legacy_pplcnet_1x    | PicoDet 2021, PP-LCNet 1x   | -    | -
picodet_legacy_pplcnet_1_5x  | PicoDet 2021, PP-LCNet 1.5x | 36.3 | PaddleDetection
picodet_legacy_pplcnet_2_5x  | PicoDet 2021, PP-LCNet 2.5x | -    | -
picodet_mobilenetv3_large_0_35x
picodet_pplcnet_0_5x
picodet_mobilenetv3_large_0_75x
picodet_pplcnet_1x
picodet_elite9               | PicoDet, eLite 9          | -    | -
picodet_pplcnetv2_small      | PicoDet, PP-LCNetV2 small | -    | -
picodet_pplcnetv2_base       | PicoDet, PP-LCNetV2 base  | -    | -
picodet_hgnetv2_b0           | PicoDet, HGNetV2-B0       | -    | -
""", """
ssdlite_mobilenetv2-scratch_8xb24-600e_coco | SSDLite MobileNetV2 320 | 21.3 | mmdet
yolox_nano_8xb8-300e_coco    | YOLOX-nano 416            | 25.8 | YOLOX
yolox_tiny_8xb8-300e_coco    | YOLOX-tiny 416            | 32.0 | mmdet
rtmdet_tiny_8xb32-300e_coco  | RTMDet-tiny 640           | 40.9 | mmdet
nanodet_plus_m_320.onnx      | NanoDet-Plus-m 320        | 27.0 | NanoDet
nanodet_plus_m_416.onnx      | NanoDet-Plus-m 416        | 30.4 | NanoDet
dfine_n_640.onnx             | D-FINE-N 640              | 42.8 | D-FINE
yolo11n_640.onnx             | YOLO11n 640               | 39.5 | Ultralytics
yolo26n_640.onnx             | YOLO26n 640               | 40.9 | Ultralytics
"""),
    *_peers('segmentation', """
deeplabv3plus_mobilenetv3_large_0_5x
deeplabv3plus_pplcnet_0_5x
deeplabv3plus_mobilenetv3_large_0_75x
deeplabv3plus_pplcnet_1x
deeplabv3plus_elite9         | DeepLabV3+, eLite 9       | -     | -
""", """
mobilenet-v3-d8-s_lraspp_4xb4-320k_cityscapes-512x1024 | LR-ASPP MobileNetV3-small | 64.11 | mmsegmentation
mobilenet-v3-d8_lraspp_4xb4-320k_cityscapes-512x1024 | LR-ASPP MobileNetV3-large | 69.54 | mmsegmentation
fast_scnn_8xb4-160k_cityscapes-512x1024 | Fast-SCNN | 70.96 | mmsegmentation
bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024 | BiSeNetV2 | 73.21 | mmsegmentation
stdc1_in1k-pre_4xb12-80k_cityscapes-512x1024 | STDC1 | 74.94 | mmsegmentation
ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024 | DDRNet-23-slim | 77.84 | mmsegmentation
pidnet-s_2xb6-120k_1024x1024-cityscapes | PIDNet-S | 78.74 | mmsegmentation
"""),
    *_peers('classification', """
pplcnet_0_25x
pplcnet_0_5x
pplcnet_0_75x
pplcnet_1x
pplcnet_1_5x
pplcnet_2x
pplcnet_2_5x
pplcnetv2_small
pplcnetv2_base
pplcnetv2_large
hgnetv2_b0
elite9
elite6
elite0
mobilenetv3_small_1_25x
mobilenetv3_large_0_35x
""", """
mobilenet-v3-small_8xb128_in1k | MobileNetV3-small | 66.68 | mmpretrain
mobilenet-v3-large_8xb128_in1k | MobileNetV3-large | 73.49 | mmpretrain
mobileone-s0_8xb32_in1k      | MobileOne-s0              | 71.34 | mmpretrain
efficientnet-b0_8xb32_in1k   | EfficientNet-B0           | 76.74 | mmpretrain
mobilenetv4_conv_small_224.onnx | MobileNetV4-conv-small 224 | 73.8 | timm
"""),
)
"""Every one, ours first in each task."""
