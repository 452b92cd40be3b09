"""Every number that the three papers print, and those of two later backbones, with our config of the same network."""
from dataclasses import dataclass


@dataclass(frozen=True)
class PaperRow:
    """A row of a paper's table."""

    task: str
    table: str  # its number or another place, '-' for none
    model: str  # as the paper calls it
    config: str  # name of our config of the same network, without its ending; '' where there is none
    params: str  # in millions, as printed; '-' where nothing is
    flops: str  # likewise
    accuracy: float | None  # of the task's ranking metric, in percent
    ms: float | None  # on the paper's machine
    remark: str  # what is odd about a number
    distilled: bool  # trained with a teacher


@dataclass(frozen=True)
class Paper:
    """A paper and what it counts."""

    title: str
    params: str  # what its parameters are: 'params' or 'with_statistics'
    flops: str  # what its FLOPs are: 'macs' or 'paddle_flops'
    rows: tuple[PaperRow, ...]  # of its tables, in their order

    def table(self, number: str) -> tuple[PaperRow, ...]:
        """Rows of one table."""
        return tuple(row for row in self.rows if row.table == number)


def _rows(table: str, text: str, task: str = 'classification') -> tuple[PaperRow, ...]:
    """Reads lines of model | config | params | FLOPs | accuracy | ms | remark."""
    lines = ([cell.strip() for cell in (*line.split('|'), '')[:7]] for line in text.strip().splitlines())
    return tuple(PaperRow(task, table, model, config.strip('-'), params, flops, _number(accuracy), _number(ms), remark,
                          'SSLD' in model) for model, config, params, flops, accuracy, ms, remark in lines)


def _number(text: str) -> float | None:
    return None if text == '-' else float(text)


PAPER, PAPER_MACHINE = 'PP-LCNet paper', 'Xeon Gold 6148, 10 threads'
PAPER_DATA = {'detection': 'COCO val2017', 'segmentation': 'Cityscapes val', 'classification': 'ImageNet-1k'}
"""What the milliseconds and the accuracies of the PP-LCNet paper are measured on."""

PP_LCNET = Paper('PP-LCNet (arXiv 2109.15099)', 'with_statistics', 'paddle_flops', (
    *_rows('2', """
PP-LCNet 0.25x     | pplcnet_0_25x     | 1.5 | 18  | 51.86 | 1.74
PP-LCNet 0.35x     | pplcnet_0_35x     | 1.6 | 29  | 58.09 | 1.92
PP-LCNet 0.5x      | pplcnet_0_5x      | 1.9 | 47  | 63.14 | 2.05
PP-LCNet 0.75x     | pplcnet_0_75x     | 2.4 | 99  | 68.18 | 2.29
PP-LCNet 1x        | pplcnet_1x        | 3.0 | 161 | 71.32 | 2.46
PP-LCNet 1.5x      | pplcnet_1_5x      | 4.5 | 342 | 73.71 | 3.19
PP-LCNet 2x        | pplcnet_2x        | 6.5 | 590 | 75.18 | 4.27
PP-LCNet 2.5x      | pplcnet_2_5x      | 9.0 | 906 | 76.60 | 5.39
PP-LCNet 0.5x SSLD | pplcnet_0_5x_ssld | -   | -   | 66.10 | 2.05
PP-LCNet 1x SSLD   | pplcnet_1x_ssld   | -   | -   | 74.39 | 2.46
PP-LCNet 2.5x SSLD | pplcnet_2_5x_ssld | -   | -   | 80.82 | 5.39
"""),
    # Its rows of PP-LCNet are those of table 2.
    *_rows('3', """
MobileNetV2 0.25x       | mobilenetv2_0_25x       | 1.5 | 34  | 53.21 | 2.47
MobileNetV3-small 0.35x | mobilenetv3_small_0_35x | 1.7 | 15  | 53.03 | 3.02
ShuffleNetV2 0.33x      | shufflenetv2_0_33x      | 0.6 | 24  | 53.73 | 4.30 | params cut, not rounded
MobileNetV2 0.5x        | mobilenetv2_0_5x        | 2.0 | 99  | 65.03 | 2.85
MobileNetV3-large 0.35x | mobilenetv3_large_0_35x | 2.1 | 41  | 64.32 | 3.68
ShuffleNetV2 0.5x       | shufflenetv2_0_5x       | 1.4 | 43  | 60.32 | 4.65
MobileNetV1 1x          | mobilenetv1_1x          | 4.3 | 578 | 70.99 | 3.38 | FLOPs cut, not rounded
MobileNetV2 1x          | mobilenetv2_1x          | 3.5 | 327 | 72.15 | 4.26 | FLOPs cut, not rounded
MobileNetV3-small 1.25x | mobilenetv3_small_1_25x | 3.6 | 100 | 70.67 | 3.95
ShuffleNetV2 1.5x       | shufflenetv2_1_5x       | 3.5 | 301 | 71.63 | -
"""),
    *_rows('4', """
MobileNetV3-large 0.35x | picodet_mobilenetv3_large_0_35x | - | - | 19.2 | 8.1
PP-LCNet 0.5x           | picodet_pplcnet_0_5x            | - | - | 20.3 | 6.0
MobileNetV3-large 0.75x | picodet_mobilenetv3_large_0_75x | - | - | 25.8 | 11.1
PP-LCNet 1x             | picodet_pplcnet_1x              | - | - | 26.9 | 7.9
""", 'detection'),
    *_rows('5', """
MobileNetV3-large 0.5x  | deeplabv3plus_mobilenetv3_large_0_5x  | - | - | 55.42 | 135
PP-LCNet 0.5x           | deeplabv3plus_pplcnet_0_5x            | - | - | 58.36 | 82
MobileNetV3-large 0.75x | deeplabv3plus_mobilenetv3_large_0_75x | - | - | 64.53 | 151
PP-LCNet 1x             | deeplabv3plus_pplcnet_1x              | - | - | 66.03 | 96
""", 'segmentation'),
    # Ablations of PP-LCNet 0.5x, whose own row each has; docs/ablations.md has the options.
    *_rows('6', """
ReLU                     | - | - | - | 61.93 | -
no squeeze-excite        | - | - | - | 62.51 | -
3 x 3 kernels            | - | - | - | 62.44 | -
no 1280-wide convolution | - | - | - | 59.91 | -
PP-LCNet 0.5x            | - | - | - | 63.14 | -
"""),
    *_rows('7', """
squeeze-excite in the first two blocks | - | - | - | 61.73 | -
in blocks 7 and 8                      | - | - | - | 62.17 | -
PP-LCNet 0.5x                          | - | - | - | 63.14 | -
in every block                         | - | - | - | 64.27 | -
"""),
    *_rows('8', """
5 x 5 kernels in every block | - | - | - | 63.22 | -
in the first seven blocks    | - | - | - | 62.70 | -
PP-LCNet 0.5x                | - | - | - | 63.14 | -
"""),
    *_rows('9', """
base network            | - | - | - | 55.58 | -
+ hard-swish            | - | - | - | 58.18 | -
+ 5 x 5 kernels         | - | - | - | 59.09 | -
+ squeeze-excite        | - | - | - | 59.91 | -
+ 1280-wide convolution | - | - | - | 62.50 | -
PP-LCNet 0.5x           | - | - | - | 63.14 | -
"""),
))
ELITE = Paper('EfficientNet-eLite and -HF (arXiv 2009.07409)', 'with_statistics', 'macs', (
    *_rows('5', """
eLite 0 | elite0 | 5.33 | 385.81 | 76.89 | -
eLite 1 | elite1 | 4.74 | 362.62 | 76.62 | -
eLite 2 | elite2 | 4.42 | 313.86 | 76.14 | -
eLite 3 | elite3 | 3.78 | 296.88 | 75.65 | -
eLite 4 | elite4 | 3.17 | 231.88 | 74.41 | - | params misprinted: those of HF1; the paper's own figure has 3.53
eLite 5 | elite5 | 2.68 | 206.72 | 73.33 | -
eLite 6 | elite6 | 2.52 | 181.32 | 72.23 | -
eLite 7 | elite7 | 2.18 | 127.99 | 70.18 | -
eLite 8 | elite8 | 1.6  | 114.52 | 68.80 | -
eLite 9 | elite9 | 1.34 | 74.56  | 65.46 | -
HF 0    | hf0    | 3.81 | 383.49 | 76.46 | -
HF 1    | hf1    | 3.17 | 296.37 | 75.08 | -
HF 2    | hf2    | 2.77 | 246.86 | 73.51 | -
HF 3    | hf3    | 3.44 | 92.29  | 70.32 | -
HF 4    | hf4    | 2.98 | 65.55  | 67.95 | -
HF 5    | hf5    | 2.77 | 62.66  | 66.76 | -
"""),
))
SEESAW = Paper('Seesaw-Net (arXiv 1905.03672)', 'params', 'macs', (
    *_rows('5', """
Seesaw-shuffleNet 1.0D | seesaw_shuffle_1d_imagenet | 3.6 | 361 | 72.9 | -
"""),
    *_rows('fig. 2', """
Seesaw-shuffleNet 0.5D | seesaw_shuffle_0_5d_imagenet | - | 209 | - | - | read off the figure
"""),
    *_rows('-', """
Seesaw-shareNet v1 1.0D | seesaw_share_v1_1d_imagenet   | - | - | - | - | not in the paper
Seesaw-shareNet v1 0.5D | seesaw_share_v1_0_5d_imagenet | - | - | - | - | not in the paper
Seesaw-shareNet v0 1.0D | seesaw_share_v0_1d_imagenet   | - | - | - | - | not in the paper; widths reconstructed
Seesaw-shareNet v0 0.5D | seesaw_share_v0_0_5d_imagenet | - | - | - | - | not in the paper; widths reconstructed
"""),
    *_rows('3', """
Seesaw-shuffleNet 1.0D  | seesaw_shuffle_1d_cifar10    | 2.4 | 181 | 95.28 | -
Seesaw-shuffleNet 0.5D  | seesaw_shuffle_0_5d_cifar10  | 1.5 | 108 | 95.10 | -
Seesaw-shareNet v1 1.0D | seesaw_share_v1_1d_cifar10   | 2.4 | 181 | 95.20 | -
Seesaw-shareNet v1 0.5D | seesaw_share_v1_0_5d_cifar10 | 1.5 | 108 | 94.80 | -
Seesaw-shareNet v0 1.0D | seesaw_share_v0_1d_cifar10   | 2.3 | 175 | 95.36 | - | widths reconstructed
Seesaw-shareNet v0 0.5D | seesaw_share_v0_0_5d_cifar10 | 1.4 | 104 | 94.99 | - | widths reconstructed
"""),
    *_rows('4', """
Seesaw-shuffleNet 1.0D  | seesaw_shuffle_1d_cifar100    | 2.5 | 181 | 79.26 | -
Seesaw-shuffleNet 0.5D  | seesaw_shuffle_0_5d_cifar100  | 1.6 | 108 | 77.82 | -
Seesaw-shareNet v1 1.0D | seesaw_share_v1_1d_cifar100   | 2.5 | 181 | 78.73 | -
Seesaw-shareNet v1 0.5D | seesaw_share_v1_0_5d_cifar100 | 1.6 | 108 | 77.84 | -
Seesaw-shareNet v0 1.0D | seesaw_share_v0_1d_cifar100   | 2.4 | 175 | 78.84 | - | widths reconstructed
Seesaw-shareNet v0 0.5D | seesaw_share_v0_0_5d_cifar100 | 1.5 | 104 | 77.87 | - | widths reconstructed
"""),
    # On CIFAR-10 and CIFAR-100 with other strides.
    *_rows('6', """
Seesaw-shareNet v1 0.5D | - | - | 59 | - | -
Seesaw-shareNet v2 0.5D | - | - | 57 | - | -
"""),
    *_rows('7', """
Seesaw-shareNet v1 0.5D | - | 1.1 | 34 | - | -
"""),
))
PP_LCNET_V2 = Paper('PP-LCNetV2 (PaddleClas)', 'params', 'macs', _rows('-', """
PP-LCNetV2 small | pplcnetv2_small | -   | -   | 74.0  | -
PP-LCNetV2 base  | pplcnetv2_base  | 6.6 | 604 | 77.04 | - | printed counts are of the folded network, Paddle FLOPs cut
PP-LCNetV2 large | pplcnetv2_large | -   | -   | 78.5  | -
"""))
HGNET_V2 = Paper('HGNetV2 (PaddleClas, timm)', 'params', 'macs', _rows('-', """
HGNetV2-B0 | hgnetv2_b0 | 6.0 | - | 77.8 | - | distilled on more images
"""))
PAPERS = (PP_LCNET, ELITE, SEESAW, PP_LCNET_V2, HGNET_V2)
