"""Every tool behind one command: ``lcvision VERB ...``, or ``python -m lcvision.cli VERB ...``."""
import sys

from lcvision.cli import run_tool
from lcvision.version import __version__

# Module of this package, and what it does.
_VERBS = {
    'train': ('train', 'train a model'),
    'test': ('test', 'evaluate a checkpoint and measure its latency'),
    'predict': ('predict', 'predict images, a folder or a video'),
    'benchmark': ('benchmark_cpu', 'measure networks on this CPU'),
    'check-data': ('check_data', 'check a folder of data, and repair a copy'),
    'export': ('export', 'export a model to files that are verified'),
    'convert': ('convert_weights', 'convert weights of PaddlePaddle or timm'),
    'flops': ('get_flops', 'count parameters and multiply-adds'),
    'doctor': ('doctor', 'check this machine and this installation'),
    'report': ('report', 'draw accuracy against latency'),
    'search': ('search', 'search a pool of networks for the best of each size'),
    'sweep': ('sweep', 'train configs at equal settings, with several seeds each'),
}


def main() -> int:
    """Runs the tool that the command line names; returns its exit code."""
    verb, *arguments = sys.argv[1:] or ['']
    if verb in _VERBS:
        sys.argv = [f'lcvision {verb}', *arguments]  # what argparse calls the program
        return run_tool(_VERBS[verb][0])
    if verb == '--version':
        print(f'lcvision {__version__}')
        return 0
    if verb in ('-h', '--help'):
        lines = (f'  {name:11}{what}' for name, (_, what) in _VERBS.items())
        print('\n'.join(['usage: lcvision VERB ...\n', *lines, '\nlcvision VERB --help says what each one takes.']))
        return 0
    print(f'error: {f"unknown verb {verb!r}" if verb else "no verb"}: give one of {", ".join(_VERBS)}; '
          'lcvision --help says what they do', file=sys.stderr)
    return 2


if __name__ == '__main__':
    raise SystemExit(main())
