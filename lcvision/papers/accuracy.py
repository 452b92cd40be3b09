"""What papers print: accuracy and latency on machines of their own."""
from dataclasses import dataclass


@dataclass(frozen=True)
class PaperPoint:
    """A row of a paper's table.

    Args:
        task: 'detection', 'segmentation' or 'classification'.
        model: Its name in the table.
        config: Name of our config of the same network, without its ending; None where there is none.
        accuracy: Of the task's metric, in percent.
        ms: The paper's milliseconds; None where it prints none.
        table: Number of the table.
        distilled: Whether it was trained with a teacher.
    """

    task: str
    model: str
    config: str | None
    accuracy: float
    ms: float | None
    table: int
    distilled: bool = False


PAPER = 'PP-LCNet paper'
PAPER_MACHINE = 'Xeon Gold 6148, 10 threads'
PAPER_DATA = {'detection': 'COCO val2017', 'segmentation': 'Cityscapes val', 'classification': 'ImageNet-1k'}


def _table(task: str, number: int, text: str) -> tuple[PaperPoint, ...]:
    rows = (line.split('|') for line in text.strip().splitlines())
    return tuple(PaperPoint(task, name.strip(), config.strip() or None, float(accuracy),
                            None if ms.strip() == '-' else float(ms), number, 'SSLD' in name)
                 for name, config, accuracy, ms in rows)


# Of the tables: model, our config, accuracy in percent, milliseconds.
_TABLE_2 = """
PP-LCNet 0.25x      | pplcnet_0_25x     | 51.86 | 1.74
PP-LCNet 0.35x      | pplcnet_0_35x     | 58.09 | 1.92
PP-LCNet 0.5x       | pplcnet_0_5x      | 63.14 | 2.05
PP-LCNet 0.75x      | pplcnet_0_75x     | 68.18 | 2.29
PP-LCNet 1x         | pplcnet_1x        | 71.32 | 2.46
PP-LCNet 1.5x       | pplcnet_1_5x      | 73.71 | 3.19
PP-LCNet 2x         | pplcnet_2x        | 75.18 | 4.27
PP-LCNet 2.5x       | pplcnet_2_5x      | 76.60 | 5.39
PP-LCNet 0.5x SSLD  | pplcnet_0_5x_ssld | 66.10 | 2.05
PP-LCNet 1x SSLD    | pplcnet_1x_ssld   | 74.39 | 2.46
PP-LCNet 2.5x SSLD  | pplcnet_2_5x_ssld | 80.82 | 5.39
"""
# Its rows of PP-LCNet are those of table 2.
_TABLE_3 = """
MobileNetV2 0.25x       | mobilenetv2_0_25x       | 53.21 | 2.47
MobileNetV3-small 0.35x | mobilenetv3_small_0_35x | 53.03 | 3.02
ShuffleNetV2 0.33x      | shufflenetv2_0_33x      | 53.73 | 4.30
MobileNetV2 0.5x        | mobilenetv2_0_5x        | 65.03 | 2.85
MobileNetV3-large 0.35x | mobilenetv3_large_0_35x | 64.32 | 3.68
ShuffleNetV2 0.5x       | shufflenetv2_0_5x       | 60.32 | 4.65
MobileNetV1 1x          | mobilenetv1_1x          | 70.99 | 3.38
MobileNetV2 1x          | mobilenetv2_1x          | 72.15 | 4.26
MobileNetV3-small 1.25x | mobilenetv3_small_1_25x | 70.67 | 3.95
ShuffleNetV2 1.5x       | shufflenetv2_1_5x       | 71.63 | -
"""
_TABLE_4 = """
MobileNetV3-large 0.35x | picodet_mobilenetv3_large_0_35x | 19.2 | 8.1
PP-LCNet 0.5x           | picodet_pplcnet_0_5x            | 20.3 | 6.0
MobileNetV3-large 0.75x | picodet_mobilenetv3_large_0_75x | 25.8 | 11.1
PP-LCNet 1x             | picodet_pplcnet_1x              | 26.9 | 7.9
"""
_TABLE_5 = """
MobileNetV3-large 0.5x  | deeplabv3plus_mobilenetv3_large_0_5x  | 55.42 | 135
PP-LCNet 0.5x           | deeplabv3plus_pplcnet_0_5x            | 58.36 | 82
MobileNetV3-large 0.75x | deeplabv3plus_mobilenetv3_large_0_75x | 64.53 | 151
PP-LCNet 1x             | deeplabv3plus_pplcnet_1x              | 66.03 | 96
"""
PAPER_POINTS = (*_table('classification', 2, _TABLE_2), *_table('classification', 3, _TABLE_3),
                *_table('detection', 4, _TABLE_4), *_table('segmentation', 5, _TABLE_5))
"""Tables 2 to 5 of the PP-LCNet paper."""
