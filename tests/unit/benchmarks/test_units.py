"""What DynamoDB bills, by examples of its documentation and by hand."""

from typing import Any

import pytest

from benchmarks.cost.units import Index, Ledger, Table, size

KEY = {"owner": {"S": "alice"}, "id": {"S": "01K"}}  # 5 + 5 + 2 + 3 bytes
TABLE = Table(
    ("owner", "id"),
    (
        Index(("owner", "createdAt"), ("status",)),
        Index(("shard", "dueAt"), ()),
    ),
)


def item(**more: Any) -> dict[str, Any]:
    return {**KEY, **more}


def ledger(now: dict[str, Any] | None = None) -> Ledger:
    return Ledger({"jobs": TABLE}, lambda table, key: now)


def put(of: Ledger, what: dict[str, Any]) -> float:
    return of.settle("PutItem", {"TableName": "jobs", "Item": what}, {}).write


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"S": "Grüße"}, 7),
        ({"N": "27"}, 2),
        ({"N": "-27"}, 3),
        ({"N": "461"}, 3),
        ({"N": "1000"}, 2),
        ({"N": "0.5"}, 2),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"B": "AAEC"}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"BOOL": True}]}, 3 + 2 + 1 + 2),
        ({"M": {"x": {"S": "ab"}}}, 3 + 1 + 2 + 1),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_an_item_is_as_large_as_its_names_and_values(value: dict[str, Any], expected: int) -> None:
    assert size({"name": value}) == 4 + expected


def test_a_write_takes_a_unit_for_each_kilobyte_begun() -> None:
    assert put(ledger(), KEY) == 1
    assert put(ledger(), item(text={"S": "x" * (1024 - 15 - 4)})) == 1
    assert put(ledger(), item(text={"S": "x" * (1024 - 15 - 4 + 1)})) == 2


def test_the_larger_of_before_and_after_counts() -> None:
    of = ledger()
    put(of, item(text={"S": "x" * 3000}))
    assert put(of, KEY) == 3
    assert put(of, KEY) == 1


def test_an_index_is_written_where_what_it_holds_changes() -> None:
    of, made = ledger(), {"createdAt": {"S": "2026"}, "status": {"S": "queued"}}
    assert put(of, item(**made)) == 2  # an entry appears
    assert put(of, item(**made, progress={"N": "5"})) == 1  # it does not hold this
    assert put(of, item(**made | {"status": {"S": "done"}})) == 2  # but this
    assert put(of, item(**made | {"createdAt": {"S": "2027"}})) == 3  # deleted and put
    assert put(of, KEY) == 2  # gone


def test_an_entry_of_another_key_is_deleted_and_put() -> None:
    of, open_job = ledger(), {"shard": {"N": "1"}}
    put(of, item(**open_job, dueAt={"N": "100"}))
    assert put(of, item(**open_job, dueAt={"N": "130"})) == 3


def test_a_transaction_takes_twice_the_tables_units_and_its_indexes_once() -> None:
    made = item(createdAt={"S": "2026"}, status={"S": "queued"})
    part = {"Put": {"TableName": "jobs", "Item": made}}
    assert ledger().settle("TransactWriteItems", {"TransactItems": [part]}, {}).write == 3


def test_a_refused_write_takes_what_the_item_is_and_changes_nothing() -> None:
    of = ledger()
    put(of, item(text={"S": "x" * 1500}))
    request = {"TableName": "jobs", "Key": KEY, "ReturnValues": "ALL_NEW"}
    assert of.settle("UpdateItem", request, None).write == 2
    assert put(of, KEY) == 2


def test_an_update_tells_or_is_asked_what_the_item_is_then() -> None:
    large = item(text={"S": "x" * 1500})
    request = {"TableName": "jobs", "Key": KEY}
    told = {"Attributes": large}
    assert ledger().settle("UpdateItem", request | {"ReturnValues": "ALL_NEW"}, told).write == 2
    assert ledger(now=large).settle("UpdateItem", request, {}).write == 2


def test_reads_take_halves_for_each_four_kilobytes_unless_consistent() -> None:
    large = item(text={"S": "x" * 5000})
    request = {"TableName": "jobs"}
    assert ledger().settle("GetItem", request | {"Key": KEY}, {"Item": large}).read == 1
    assert ledger().settle("GetItem", request | {"Key": KEY, "ConsistentRead": True}, {"Item": KEY}).read == 1
    assert ledger().settle("GetItem", request | {"Key": KEY}, {}).read == 0.5
    assert ledger().settle("Query", request, {"Items": [KEY] * 3}).read == 0.5  # together, not each
    batch: dict[str, Any] = {"RequestItems": {"jobs": {"Keys": []}}}
    assert ledger().settle("BatchGetItem", batch, {"Responses": {"jobs": [KEY] * 3}}).read == 1.5


def test_what_is_not_known_is_not_free() -> None:
    with pytest.raises(ValueError, match="PartiQL"):
        ledger().settle("PartiQL", {}, {})
