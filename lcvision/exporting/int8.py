"""Post-training quantisation to int8 that is measured, and that returns layers to float until little is lost."""
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

from lcvision.errors import UserError
from lcvision.exporting.quantisers import QUANTISERS, Quantiser

CALIBRATION_IMAGES = 300


def check_request(precision: str, formats: Sequence[Any], data: object, dynamic: str | None, max_drop: float) -> None:
    """Refuses a request for 'int8' or 'mixed' before anything is computed.

    Raises:
        UserError: Something that it needs is lacking.
    """
    given, able = [one.name for one in formats], [*QUANTISERS] if precision == 'int8' else ['openvino']
    if max_drop < 0:
        raise UserError(f'--max-drop {max_drop:g} is negative: give the points that may be lost, such as 0.5')
    if not set(able) & set(given):
        raise UserError(f"{precision} is written for {' and '.join(able)}, not for {', '.join(given)}: add "
                        f'{able[0]} to --to')
    if 'openvino' in given and importlib.util.find_spec('nncf') is None:
        raise UserError(f"--precision {precision} needs nncf for openvino: pip install 'lcvision[int8]'")
    if dynamic:
        raise UserError(f'{precision} is calibrated for one size and batch: leave out --dynamic {dynamic}')
    if not data:
        raise UserError(f'--precision {precision} needs --data: its training images calibrate, and its validation '
                        'images show what is lost')


def quantise(trial: Quantiser, groups: set[str], max_drop: float, lost: Callable[[], tuple[float, float]],
             progress: Callable[[str], object],
             train: Callable[[set[str]], Quantiser] | None = None) -> tuple[Quantiser, set[str]]:
    """Writes a file in int8, with as many layers in float as the metric demands.

    Where the first try loses too much, the weights are trained, if that is asked for. If they still do, the groups of
    layers follow one by one into float, the most sensitive first; a group's sensitivity is the error of the raw maps
    with nothing but that group in int8.

    Args:
        trial: Writes the file.
        groups: Groups that are in float in any case.
        max_drop: Points of the metric that may be lost.
        lost: Gives the file's metric, and the points that it loses.
        progress: Told what is going on.
        train: Gives what writes the file with weights that are trained for int8, except in some groups.

    Returns:
        What wrote the file, and the groups in float.
    """
    everything = {layer.group for layer in trial.layers}
    order: list[str] | None = None
    best: tuple[float, set[str], float, Quantiser] | None = None
    while True:
        progress(f'quantising {trial.file.path.name}, {trial.count(groups)} of {len(trial.layers)} layers in float')
        trial.write(groups)
        metric, points = lost()
        progress(f'int8 loses {points:.2f} points, {max_drop:g} may be lost')
        if best is None or points < best[0]:
            best = points, set(groups), metric, trial
        if points > max_drop and train:
            trial, train = train(groups), None
            continue
        last, trial = trial, best[3]
        if order is None and best[0] > max_drop:
            progress('ranking the layers')
            order = trial.rank(sorted(everything - groups))
        left = [group for group in order or [] if group not in groups]
        if best[0] <= max_drop or len(left) < 2:
            break
        groups = groups | {left[0]}
    if best[1] != groups or last is not trial:
        trial.write(best[1])
    trial.file.metadata['int8']['metric'] = round(best[2], 6)
    trial.file.kind.write(trial.file.graph, trial.file.path)
    return trial, best[1]
