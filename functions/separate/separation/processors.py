"""What of the machine this process may use."""

import os


def processors() -> int:
    """How many processors."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS knows no affinity
