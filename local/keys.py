"""What only the owner of a state folder knows: the administrator's key, and the user's password."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, repr=False)  # not to be read in a log
class Keys:
    """Made at random for each state folder, and kept in it.

    Attributes
    ----------
    access_key_id, secret_access_key
        The local cloud's administrator.
    password
        Of the user that one finds there, and of all others that `Deployment.token` makes.
    """

    access_key_id: str
    secret_access_key: str
    password: str

    @classmethod
    def of(cls, state: Path) -> Keys:
        """Those of a state folder; made, if it has none. The umask decides who may read them."""
        path = state / "keys.json"
        if path.exists():
            return cls(**json.loads(path.read_text()))
        keys = cls(
            access_key_id=f"AKIA{secrets.token_hex(8).upper()}",
            secret_access_key=secrets.token_hex(20),
            password=f"Aa1-{secrets.token_hex(10)}",  # Cognito wants something of every kind
        )
        new = path.with_suffix(".new")  # whole or not at all
        new.write_text(json.dumps(asdict(keys)))
        new.replace(path)
        return keys
