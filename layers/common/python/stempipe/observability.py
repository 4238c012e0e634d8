"""Logs, traces and metrics: one of each for every function."""

import warnings

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

__all__ = ["MetricUnit", "logger", "metrics", "tracer"]

logger = Logger(service="stempipe")
tracer = Tracer(service="stempipe")
metrics = Metrics(namespace="Stempipe", service="stempipe")

# Not every call has something to count.
warnings.filterwarnings("ignore", message="No application metrics to publish")
