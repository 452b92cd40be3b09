"""Measures networks on this CPU; see --help."""
from lcvision.cli import run_tool
from lcvision.cli.benchmark_cpu import main

if __name__ == '__main__':
    raise SystemExit(run_tool(main))
