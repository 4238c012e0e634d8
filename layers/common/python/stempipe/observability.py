"""Logs, traces and metrics: one of each for every function.

``POWERTOOLS_SERVICE_NAME`` says of which stack.
"""

import os
import warnings

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

__all__ = ["SERVICE", "MetricUnit", "logger", "metrics", "tracer"]

SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "stempipe")

logger = Logger(service=SERVICE)
tracer = Tracer(service=SERVICE)
metrics = Metrics(namespace="Stempipe", service=SERVICE)

# Not every call has something to count.
warnings.filterwarnings("ignore", message="No application metrics to publish")
