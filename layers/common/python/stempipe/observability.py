"""Logs, traces and metrics: one of each for every function, configured by POWERTOOLS_* variables."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

__all__ = ["MetricUnit", "logger", "metrics", "tracer"]

logger = Logger()
tracer = Tracer()
metrics = Metrics()
