"""Where the time of an inference goes, layer by layer."""
from lcvision.latency.profiler.profile_benchmark import check_profiled, run_profiles, traceable
from lcvision.latency.profiler.profile_table import format_profiles

__all__ = ['check_profiled', 'format_profiles', 'run_profiles', 'traceable']
