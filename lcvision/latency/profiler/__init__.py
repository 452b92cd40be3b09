"""Where the time of an inference goes, layer by layer."""
from lcvision.latency.profiler.profile_benchmark import PROFILED, check_profiled, run_profiles
from lcvision.latency.profiler.profile_table import format_profiles

__all__ = ['PROFILED', 'check_profiled', 'format_profiles', 'run_profiles']
