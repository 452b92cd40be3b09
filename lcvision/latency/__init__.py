"""Milliseconds of a network on this CPU, measured so that they can be believed."""
from lcvision.latency.benchmark import Failure, Outcome, Subject, best_records, check_threads, run_benchmark
from lcvision.latency.measure import Budget

__all__ = ['Budget', 'Failure', 'Outcome', 'Subject', 'best_records', 'check_threads', 'run_benchmark']
