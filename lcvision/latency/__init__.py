"""Milliseconds of a network on this CPU, measured so that they can be believed."""
from lcvision.latency.benchmark import NO_TIME, SCOPES, Failure, Outcome, Subject, run_benchmark
from lcvision.latency.measure import Budget

__all__ = ['NO_TIME', 'SCOPES', 'Budget', 'Failure', 'Outcome', 'Subject', 'run_benchmark']
