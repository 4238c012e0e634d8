"""What AWS and Cloudflare ask for: list prices in USD, us-east-1, without taxes and discounts.

The only place for them: a job's ``cost`` and ``make cost`` read them here, and docs/cost.md shows them. A GB
of bytes is 10**9, one of Lambda's memory and disk 1024 MB. AWS's own GB of bytes are 7 % larger, so that sums
are rather too high.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

SECONDS_A_MONTH = 730 * 3600
"""AWS's month."""


class Source(NamedTuple):
    """Where a figure was read, and when.

    Attributes
    ----------
    read
        The day, or the month.
    place
        The official page; a public copy of AWS's Price List API of that day; or pages of others alone,
        because of the official one only copies without figures could be had.
    """

    read: str
    place: Literal["official page", "price list", "others' pages"]


class Price(NamedTuple):
    """What something costs.

    Attributes
    ----------
    usd, per, unit
        So much for so many of what.
    page
        The official pricing page.
    source
        Where the figure was read.
    free
        How many of the unit an account has free of charge each month, for good.
    """

    usd: float
    per: int
    unit: str
    page: str
    source: Source
    free: int = 0

    def of(self, amount: float) -> float:
        """USD for so many of the unit."""
        return amount * self.usd / self.per

    def beyond_free(self, amount: float) -> float:
        """USD for so many of the unit in a month in which nothing else uses up what is free."""
        return self.of(max(0.0, amount - self.free))


_PAGE = Source("2026-11-27", "official page")
_LIST = Source("2026-09-19", "price list")
_OTHERS = Source("2026-11", "others' pages")
_MILLION = 1_000_000
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_API = "https://aws.amazon.com/api-gateway/pricing/"
_TABLE = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_S3 = "https://aws.amazon.com/s3/pricing/"
_R2 = "https://developers.cloudflare.com/r2/pricing/"
_WATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_KMS = "https://aws.amazon.com/kms/pricing/"
_QUEUE = "https://aws.amazon.com/sqs/pricing/"
_TRACES = "https://aws.amazon.com/xray/pricing/"
_OUT = "https://aws.amazon.com/ec2/pricing/on-demand/"
_IMAGES = "https://aws.amazon.com/ecr/pricing/"
_SECRETS = "https://aws.amazon.com/secrets-manager/pricing/"

GB_SECOND = Price(16.6667, _MILLION, "GB-seconds of a function", _LAMBDA, _LIST, 400_000)
DISK_GB_SECOND = Price(0.0309, _MILLION, "GB-seconds of temporary disk over 512 MB", _LAMBDA, _LIST)
RUN = Price(0.20, _MILLION, "runs of a function", _LAMBDA, _LIST, _MILLION)
API_REQUEST = Price(1.00, _MILLION, "requests to the HTTP API", _API, _OTHERS)
LIVE_MESSAGE = Price(1.00, _MILLION, "WebSocket messages of 32 KB", _API, _OTHERS)
LIVE_MINUTE = Price(0.25, _MILLION, "minutes of a WebSocket connection", _API, _OTHERS)
QUEUE_REQUEST = Price(0.40, _MILLION, "SQS requests of 64 KB", _QUEUE, _OTHERS, _MILLION)
FAIR_REQUEST = Price(0.10, _MILLION, "of them with a message group, besides", _QUEUE, _OTHERS)
WRITE_UNIT = Price(0.625, _MILLION, "write units of 1 KB", _TABLE, _OTHERS)
READ_UNIT = Price(0.125, _MILLION, "read units of 4 KB", _TABLE, _OTHERS)
TABLE_GB_MONTH = Price(0.25, 1, "GB-months in a table", _TABLE, _OTHERS, 25)
BACKUP_GB_MONTH = Price(0.20, 1, "GB-months of a table's point-in-time recovery", _TABLE, _OTHERS)
S3_PUT = Price(5.00, _MILLION, "S3 requests PUT, POST, LIST", _S3, _OTHERS)
S3_GET = Price(0.40, _MILLION, "S3 requests GET, HEAD", _S3, _OTHERS)
S3_GB_MONTH = Price(0.023, 1, "GB-months in S3", _S3, _OTHERS)
S3_GB_OUT = Price(0.09, 1, "GB out of S3 to the internet", _S3, _OTHERS, 100)
AWS_GB_OUT = Price(0.09, 1, "GB out of a function to the internet", _OUT, _OTHERS, 100)
R2_WRITE = Price(4.50, _MILLION, "R2 operations of class A", _R2, _PAGE, _MILLION)
R2_READ = Price(0.36, _MILLION, "R2 operations of class B", _R2, _PAGE, 10 * _MILLION)
R2_GB_MONTH = Price(0.015, 1, "GB-months in R2", _R2, _PAGE, 10)
R2_GB_OUT = Price(0.0, 1, "GB out of R2", _R2, _PAGE)
LOG_GB = Price(0.50, 1, "GB of logs taken in", _WATCH, _OTHERS, 5)
METRIC_MONTH = Price(0.30, 1, "months of a metric of one's own", _WATCH, _OTHERS, 10)
ALARM_MONTH = Price(0.10, 1, "months of a metric that an alarm looks at", _WATCH, _OTHERS, 10)
COMPOSITE_MONTH = Price(0.50, 1, "months of a composite alarm", _WATCH, _OTHERS)
DASHBOARD_MONTH = Price(3.00, 1, "months of a dashboard", _WATCH, _OTHERS, 3)
TRACE = Price(5.00, _MILLION, "traces recorded", _TRACES, _PAGE, 100_000)
KEY_MONTH = Price(1.00, 1, "months of a KMS key", _KMS, _PAGE)
SECRET_MONTH = Price(0.40, 1, "months of a secret", _SECRETS, _OTHERS)
IMAGE_GB_MONTH = Price(0.10, 1, "GB-months of an image in ECR", _IMAGES, _OTHERS)

ALL: tuple[Price, ...] = tuple(value for value in globals().values() if isinstance(value, Price))
"""Every row."""
