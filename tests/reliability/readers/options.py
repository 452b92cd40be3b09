"""Command lines, spoiled: what the tools do with them until there is something to train, to run or to count."""
import contextlib
import importlib
import random
from functools import partial
from pathlib import Path
from unittest import mock

import torch

import lcvision.cli.__main__ as verbs
from lcvision.config import load_config
from tests.datasets import coco_like, image_tree, street_like
from tests.reliability.fuzz import Case, hostile
from tests.reliability.readers.data import special_files
from tests.reliability.readers.images import pictures
from tests.reliability.readers.weights import torch_bytes

_TASKS = {'detection/picodet_pplcnet_0_5x_sample': 'coco', 'segmentation/deeplabv3plus_pplcnet_0_5x': 'street',
          'classification/pplcnet_0_5x_cifar10': 'tree', 'detection/picodet_v2_xs_320': 'coco'}
# Where a tool would begin with its work.
_WORK = ('lcvision.training.train.build_runner', 'lcvision.training.evaluate.build_runner',
         'lcvision.cli.predict.Predictor', 'lcvision.cli.benchmark_cpu._subjects',
         'lcvision.cli.get_flops.count_config',
         'lcvision.exporting.export.load_trained', 'lcvision.cli.search.run_plan', 'lcvision.cli.sweep.run_plan',
         'lcvision.cli.search.plan_search', 'lcvision.cli.sweep.plan_sweep',
         'lcvision.cli.convert_weights._build_model',
         'lcvision.cli.check_data._try_training', 'lcvision.cli.doctor._self_test')
_VALUES = ('None', '0', '-1', '1', '1e999', 'nan', '(1,(2,[3', '[', '{', ')', '"', "'", 'dict(a=1)', '{"a":1}',
    'True', '',
           'x' * 1000, '1' * 5000, 'a.b', '[1,2]', '(1,2)', '[[1,2],[3]]', "['a','b']", 'lambda:0', '~',
           '%s', '=',
           '__import__("os").system("true")', '\x1b[31m', '\udcff', 'é', '5', '3.5', 'auto', 'sample')


class Reached(BaseException):
    """The tool would begin."""


def _keys(part: object, above: str = '') -> list[str]:
    found = []
    if isinstance(part, dict | list | tuple):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            found += [f'{above}{key}', *_keys(value, f'{above}{key}.')]
    return found


def _stubs() -> list:
    found = []
    for name in _WORK:
        module, _, attribute = name.rpartition('.')
        if hasattr(importlib.import_module(module), attribute):
            found.append(mock.patch(name, side_effect=Reached))
    return found


class Options:
    """``--cfg-options``: any entry with any value, up to the point where a runner would be built."""

    verbs = ('train', 'train', 'test')

    def __init__(self, folder: Path) -> None:
        self.roots = {'coco': coco_like.folder(folder / 'coco'), 'street': street_like.pairs(folder / 'street'),
                      'tree': image_tree.tree(folder / 'tree')}
        self.keys = {name: _keys(load_config(name)._cfg_dict.to_dict()) for name in _TASKS}
        self.folder = folder
        for name, content in (('a.png', pictures()['RGB.png']), ('a.onnx', b'x'), ('a.json', b'{}'),
                              ('a.pth', torch_bytes({'a': torch.ones(2)}))):
            (folder / name).write_bytes(content)
        special_files(folder)
        for stub in _stubs():
            stub.start()

    def case(self, rng: random.Random) -> Case:
        config = rng.choice(sorted(_TASKS))
        args = [config, '--work-dir', 'out']
        if rng.random() < .8:
            args += ['--data', str(self.roots[_TASKS[config]])]
        given = []
        for _ in range(rng.choice((1, 1, 2, 4))):
            key = rng.choice(self.keys[config]) if rng.random() < .85 else rng.choice((
                'a', '', '.', '..', 'model.', '.model', 'a.' * 1000 + 'b', 'new', 'new.entry', 'model.0', 'load_from',
                'resume',
                'custom_hooks.0', 'default_hooks.new', '_delete_', 'model._delete_', 'work_dir', 'image_size', 'é',
                'a b'))
            value = rng.choice(_VALUES) if rng.random() < .9 else str(hostile(rng))[:2000]
            given.append(key + '=' * (rng.random() < .97) + value)
        if rng.random() < .2:
            args += ['--epochs', rng.choice(('1', '3', '0', '-1', 'x', '9' * 30))]
        return partial(self._run, rng.choice(self.verbs), [*args, '--cfg-options', *given])

    def _run(self, verb: str, args: list[str]) -> None:
        tool = importlib.import_module(f'lcvision.cli.{verbs._VERBS[verb][0]}')
        if verb == 'test':
            args = [args[0], str(self.folder / 'a.pth'), *(arg for arg in args[1:] if arg != '--epochs')]
        with contextlib.suppress(Reached):
            tool.main(args)


class Flags(Options):
    """Any flag of any tool with any value."""

    _FLAGS = {
        'train': ('--data', '--epochs', '--resume', '--load-from', '--memory-format', '--launcher', '--work-dir'),
        'test': ('--data', '--json', '--show-dir', '--engine', '--precision', '--work-dir', '--launcher'),
        'predict': ('--out', '--model', '--config', '--checkpoint', '--score-thr', '--engine', '--threads',
        '--precision',
                    '--work-dir', '--cfg-options'),
        'benchmark': ('--engine', '--threads', '--input-size', '--precision', '--scope', '--hint', '--preset',
        '--samples',
                      '--max-seconds', '--minutes', '--compare', '--json', '--plot'),
        'check-data': ('--fix', '--config', '--show-dir', '--json'),
        'export': ('--out', '--to', '--graph', '--input', '--dynamic', '--precision', '--max-drop', '--data'),
        'convert': ('--config', '--dropout', '--cfg-options'), 'flops': ('--input-size', '--json', '--cfg-options'),
        'report': ('--out',), 'search': ('--pool', '--group-by', '--epochs-per-round', '--seeds', '--epochs', '--data',
                                         '--children', '--threads', '--full-group', '--work-dir', '--engine'),
        'sweep': ('--epochs-per-round', '--seeds', '--epochs', '--data', '--json', '--children', '--threads',
        '--work-dir')}
    _BASE = {'predict': ['a.png', '--model', 'a.onnx'], 'check-data': ['coco'], 'report': ['a.json'], 'search': [],
             'convert': ['a.pth', 'b.pth', '--config', 'pplcnet_0_5x'], 'test': ['picodet_pplcnet_0_5x', 'a.pth'],
             'export': ['picodet_pplcnet_0_5x', 'a.pth', '--out', 'out']}

    def case(self, rng: random.Random) -> Case:
        verb = rng.choice(sorted(self._FLAGS))
        args = list(self._BASE.get(verb, ['picodet_pplcnet_0_5x']))
        paths = ('a.png', 'a.json', 'a.pth', 'a.onnx', 'coco', 'tree', 'street', 'pipe', 'loop', 'itself', 'zero',
            'gone', '.',
                 '/dev/null', '/proc/self/status', '/proc', '/dev/zero', 'x' * 300, 'no/such', '', 'out', '/')
        if args and rng.random() < .25:
            args[rng.randrange(len(args))] = rng.choice((*paths, *_VALUES))
        for flag in rng.sample(self._FLAGS[verb], min(len(self._FLAGS[verb]), rng.choice((0, 1, 1, 2)))):
            args += [flag, rng.choice((*paths, *_VALUES, str(hostile(rng))[:500], '1,2', '1,x', '64x64', '0x0',
            '1x99999'))]
        return partial(self._run, verb, args)

    def _run(self, verb: str, args: list[str]) -> None:
        tool = importlib.import_module(f'lcvision.cli.{verbs._VERBS[verb][0]}')
        with contextlib.suppress(Reached):
            tool.main(args)
