"""What people call a config, its data and an engine."""
import re
from collections.abc import Sequence

from lcvision.deploy.engines import ENGINES

DATA_NOT_RECORDED = 'data not recorded'
MACHINE_NOT_RECORDED = 'machine not recorded'

_DATA = {'bccd': 'BCCD', 'camvid': 'CamVid', 'cifar10': 'CIFAR-10', 'cifar100': 'CIFAR-100', 'imagenet': 'ImageNet',
         'sample': 'sample', 'coco': 'COCO', 'cityscapes': 'Cityscapes'}
_WORDS = (('deeplabv3plus', 'DeepLabV3+'), ('picodet', 'PicoDet'), ('pplcnet', 'PP-LCNet'),
          (r'mobilenetv(\d)_(large|small)', r'MobileNetV\1-\2'), (r'mobilenetv(\d)', r'MobileNetV\1'),
          (r'shufflenetv(\d)', r'ShuffleNetV\1'), (r'seesaw_(shuffle|share_v\d)', r'Seesaw-\1'), ('seesaw', 'Seesaw'),
          (r'elite(\d)', r'eLite-\1'), (r'hf(\d)', r'HF-\1'), (r'v2_(xs|s|m|l)', r'v2 \1'), ('ssld', 'SSLD'))


def data_of(stem: str) -> str:
    """Data set that the name of a config's file ends with, or :data:`DATA_NOT_RECORDED`."""
    return next((_DATA[part] for part in stem.split('_') if part in _DATA), DATA_NOT_RECORDED)


def data_named(source: str) -> str:
    """Name for people of the data set in a folder or file: a known one's own spelling, else the name of either."""
    return _DATA.get(re.sub(r'(_jpeg)?\.npz$', '', source.lower()), source)


def model_of(stem: str) -> str:
    """Name for people of a config, given its file's without the ending; the data set is left out."""
    text = '_'.join(part for part in stem.split('_') if part not in _DATA)
    text = re.sub(r'(?<=_)(\d+)_(\d+)(x|d)(?=_|$)', r'\1.\2\3', text)
    for pattern, name in _WORDS:
        text = re.sub(rf'(?<![a-zA-Z0-9]){pattern}(?=_|$)', name, text)
    text = re.sub(r'(?<=v2 )(xs|s|m|l)\b', lambda found: found[1].upper(), text.replace('_', ' '))
    return re.sub(r'(?<=\d)d\b', 'D', text) or stem


def engine_of(name: str) -> str:
    """Name for people of an engine."""
    return (name in ENGINES and ENGINES[name].title) or name


def drop_shared_start(names: Sequence[str]) -> list[str]:
    """Removes the words that all names begin with, which labels of one picture need not repeat; none becomes empty."""
    words = [name.split(' ') for name in names]
    alike = [len(set(column)) == 1 for column in zip(*words)]
    shared = min([*alike, False].index(False), *(len(part) - 1 for part in words)) if len(set(names)) > 1 else 0
    return [' '.join(part[shared:]) for part in words]
