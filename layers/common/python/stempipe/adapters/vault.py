"""Secrets of webhooks, sealed by KMS: whoever reads the table does not read them.

One key seals all of them, for a dollar a month. A secret of Secrets Manager for each job would cost 0.40 a
month apiece, and would have to be deleted by somebody; what is sealed goes when its record goes.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def kms_client() -> KMSClient:
    """A client with timeouts that suit a function."""
    return boto3.client(
        "kms",
        config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 4}),
    )


class Vault:
    """Seals and opens. What was sealed for one job opens for no other.

    Parameters
    ----------
    client
        From ``kms_client``.
    key_id
        Id or ARN of the key.
    """

    def __init__(self, client: KMSClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def seal(self, secret: str, owner: str, job_id: str) -> str:
        """A secret of up to 4 KB, sealed, in base64."""
        answer = self._client.encrypt(
            KeyId=self._key_id, Plaintext=secret.encode(), EncryptionContext={"owner": owner, "job": job_id}
        )
        return base64.b64encode(answer["CiphertextBlob"]).decode()

    def open(self, sealed: str, owner: str, job_id: str) -> str:
        """What was sealed for this job."""
        answer = self._client.decrypt(
            KeyId=self._key_id,
            CiphertextBlob=base64.b64decode(sealed),
            EncryptionContext={"owner": owner, "job": job_id},
        )
        return answer["Plaintext"].decode()
