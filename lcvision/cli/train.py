"""Trains a model from a config."""
from argparse import ArgumentParser

from lcvision.training.launch import add_run_arguments
from lcvision.training.train import train


def main(argv: list[str] | None = None) -> int:
    """Trains."""
    parser = ArgumentParser(description='Trains a model; a CPU is enough.')
    parser.add_argument('config', metavar='CONFIG', help='path or name, e.g. picodet_pplcnet_1x')
    parser.add_argument('--resume', nargs='?', const=True, default=False, metavar='CKPT',
                        help='continue from CKPT, or from the newest checkpoint of the work dir')
    parser.add_argument('--load-from', metavar='CKPT', help='start with the weights of CKPT (.pth or .safetensors)')
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16, on a GPU without it float16)')
    parser.add_argument('--epochs', type=int, metavar='N', help="epochs; the schedule is scaled to them [config's]")
    add_run_arguments(parser)
    train(**vars(parser.parse_args(argv)))
    return 0
