"""Milliseconds of a network on this CPU, measured so that they can be believed."""
from lcvision.latency.benchmark import Failure, Outcome, Subject, benchmark, best_records, check_threads
from lcvision.latency.measure import Budget

__all__ = ['Budget', 'Failure', 'Outcome', 'Subject', 'benchmark', 'best_records', 'check_threads']
