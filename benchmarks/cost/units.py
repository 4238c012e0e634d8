"""What DynamoDB bills for a call, by its documented rules: sizes of items, units, indexes included.

Items are in DynamoDB's JSON: ``{"id": {"S": "x"}}``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

Item = Mapping[str, Any]

WRITE_BYTES = 1024
READ_BYTES = 4096


def size(item: Item) -> int:
    """Bytes of an item: those of its attributes' names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return _number_size(content)
        case "B":
            return len(base64.b64decode(content))
        case "BOOL" | "NULL":
            return 1
        case "M":
            return 3 + size(content) + len(content)
        case "L":
            return 3 + sum(map(_value_size, content)) + len(content)
        case "SS":
            return sum(len(one.encode()) for one in content)
        case "NS":
            return sum(map(_number_size, content))
    raise ValueError(f"an attribute of kind {kind}")


def _number_size(text: str) -> int:
    """A byte for two significant digits, and one more; another one for the sign of less than zero."""
    digits = text.lower().partition("e")[0].lstrip("-").replace(".", "").strip("0")
    return 1 + ceil(len(digits) / 2) + text.startswith("-")


@dataclass(frozen=True)
class Index:
    """A global secondary index: its key, and the attributes that it holds besides keys; None is all."""

    key: tuple[str, ...]
    attributes: Collection[str] | None


@dataclass(frozen=True)
class Table:
    """A table's key, and its indexes."""

    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Table:
        """By the answer to DescribeTable."""

        def key(of: Mapping[str, Any]) -> tuple[str, ...]:
            return tuple(part["AttributeName"] for part in of["KeySchema"])

        def attributes(projection: Mapping[str, Any]) -> Collection[str] | None:
            if projection["ProjectionType"] == "ALL":
                return None
            return tuple(projection.get("NonKeyAttributes", ()))

        indexes = description.get("GlobalSecondaryIndexes", ())
        return cls(key(description), tuple(Index(key(one), attributes(one["Projection"])) for one in indexes))

    def write_units(self, before: Item | None, after: Item | None) -> int:
        """Units of a write that was made, those of indexes included."""
        larger = max(size(item) if item else 0 for item in (before, after))
        return _units(larger, WRITE_BYTES) + sum(
            self._index_units(one, before, after) for one in self.indexes
        )

    def _index_units(self, index: Index, before: Item | None, after: Item | None) -> int:
        old, new = self._projected(index, before), self._projected(index, after)
        if old == new:
            return 0
        if old and new and all(old[name] == new[name] for name in index.key):
            return _units(max(size(old), size(new)), WRITE_BYTES)
        # Of another key: the old entry is deleted, and the new one put.
        return sum(_units(size(entry), WRITE_BYTES) for entry in (old, new) if entry)

    def _projected(self, index: Index, item: Item | None) -> Item | None:
        if item is None or any(name not in item for name in index.key):
            return None
        if index.attributes is None:
            return item
        kept = {*self.key, *index.key, *index.attributes}
        return {name: value for name, value in item.items() if name in kept}


def _units(length: int, unit: int) -> int:
    return max(1, ceil(length / unit))


@dataclass
class Ledger:
    """What calls cost in units, of which all go by here, from when the tables were empty.

    Parameters
    ----------
    tables
        By their names.
    read
        An item of a table as it is now, by its key.
    """

    tables: Mapping[str, Table]
    read: Callable[[str, Item], Item | None]
    _items: dict[tuple[str, str], Item | None] = field(default_factory=dict)

    def settle(self, operation: str, request: Mapping[str, Any], answer: Mapping[str, Any] | None) -> Units:
        """Units of a call; an answer of None is a refusal, by a condition that does not hold."""
        match operation:
            case "PutItem" | "UpdateItem" | "DeleteItem":
                return Units(write=self._write(operation, request, answer))
            case "TransactWriteItems":
                return Units(write=sum(self._part(part, answer) for part in request["TransactItems"]))
            case "GetItem":
                found = (answer or {}).get("Item")
                return Units(read=_read_units([found] if found else [], request))
            case "BatchGetItem":
                responses = (answer or {}).get("Responses", {})
                return Units(
                    read=sum(
                        _read_units([item], request["RequestItems"][table])
                        for table, items in responses.items()
                        for item in items
                    )
                )
            case "Query" | "Scan":
                return Units(read=_read_units((answer or {}).get("Items", []), request))
        raise ValueError(f"what does {operation} cost?")

    def _part(self, part: Mapping[str, Any], answer: Mapping[str, Any] | None) -> float:
        """Of a transaction: its table's units are twice those of a plain write, its indexes' are not."""
        ((kind, request),) = part.items()
        before = self._items.get(self._name(request))
        units = self._write(f"{kind}Item", request, answer)
        after = self._items.get(self._name(request))
        larger = max(size(item) if item else 0 for item in (before, after))
        return units + _units(larger, WRITE_BYTES)

    def _write(self, operation: str, request: Mapping[str, Any], answer: Mapping[str, Any] | None) -> int:
        name, table = self._name(request), self.tables[request["TableName"]]
        before = self._items.get(name)
        if answer is None:
            return _units(size(before) if before else 0, WRITE_BYTES)
        after = self._after(operation, request, answer)
        self._items[name] = after
        return table.write_units(before, after)

    def _after(self, operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> Item | None:
        if operation == "DeleteItem":
            return None
        if operation == "PutItem":
            item: Item = request["Item"]
            return item
        if request.get("ReturnValues") == "ALL_NEW" and "Attributes" in answer:
            attributes: Item = answer["Attributes"]
            return attributes
        return self.read(request["TableName"], request["Key"])

    def _name(self, request: Mapping[str, Any]) -> tuple[str, str]:
        table = self.tables[request["TableName"]]
        key = request.get("Key") or request["Item"]
        return request["TableName"], str([key[name] for name in table.key])


@dataclass(frozen=True)
class Units:
    """Of DynamoDB on demand."""

    write: float = 0.0
    read: float = 0.0


def _read_units(items: Sequence[Item], request: Mapping[str, Any]) -> float:
    each = 1.0 if request.get("ConsistentRead") else 0.5
    return each * _units(sum(map(size, items)), READ_BYTES)
