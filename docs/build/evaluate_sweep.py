"""Adds the accuracy of another precision to a sweep's results."""
import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import lcvision
from lcvision.cli import run_tool
from lcvision.config import find_config
from lcvision.errors import UserError
from lcvision.files import write_atomically
from lcvision.search.folder import Folder
from lcvision.search.outcome import spread
from lcvision.search.plan import read_plan
from lcvision.search.tournament import Unit


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluates the last checkpoint of each training of a finished sweep; returns 0."""
    parser = argparse.ArgumentParser(prog='python -m docs.build.evaluate_sweep', description=__doc__)
    parser.add_argument('work_dir', help='of lcvision sweep')
    parser.add_argument('json', help='what it wrote to --json, to which rows are added')
    parser.add_argument('--data', required=True)
    parser.add_argument('--engine', default='openvino')
    parser.add_argument('--precision', default='bf16')
    args = parser.parse_args(argv)
    plan = read_plan(Path(args.work_dir))
    if plan is None:
        raise UserError(f'{args.work_dir} holds no sweep: give the --work-dir of lcvision sweep')
    folder, report = Folder(Path(args.work_dir), plan), json.loads(Path(args.json).read_text())
    rows = [row for row in report['results'] if row.get('precision') != args.precision]
    for place, member in enumerate(plan.members):
        values: dict[str, list[float]] = {}
        for seed in range(plan.seeds):
            unit = folder.unit(Unit(place, plan.rules.rounds, seed))
            found = lcvision.evaluate(find_config(member.name), next(unit.glob('*.pth')), args.data, engine=args.engine,
                                      precision=args.precision, work_dir=Path(args.work_dir) / 'evaluated',
                                      cfg_options={'default_hooks.latency': None})
            for name, value in found.metrics.items():
                if name in report['results'][place]['metrics']:
                    values.setdefault(name, []).append(value)
        rows.append(dict(config=member.name, precision=args.precision, engine=args.engine,
                         metrics={name: spread(found) for name, found in values.items()}, values=values))
        print(f"{member.name}: {report['metric']} {values[report['metric']]}", flush=True)
    write_atomically(Path(args.json), (json.dumps({**report, 'results': rows}, indent=1) + '\n').encode())
    return 0


if __name__ == '__main__':
    raise SystemExit(run_tool(main))
