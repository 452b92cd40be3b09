"""Milliseconds of a network on this CPU, measured so that they can be believed."""
from lcvision.latency.benchmark import NO_TIME, run_benchmark
from lcvision.latency.record import Failure, LatencyRecord, Measurements, Outcome
from lcvision.latency.subject import Subject
from lcvision.timing.rounds import Budget

__all__ = ['NO_TIME', 'Budget', 'Failure', 'LatencyRecord', 'Measurements', 'Outcome', 'Subject', 'run_benchmark']
