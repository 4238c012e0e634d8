"""Reads the tensors of a TensorFlow checkpoint ("tensor bundle") without TensorFlow.

A bundle is an index, which is a LevelDB table of protocol buffers, and a data file of raw little-endian
tensors. Formats: tensorflow/core/protobuf/tensor_bundle.proto, tensorflow/core/lib/io/format.cc.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from downloads.errors import ModelDamagedError

_FOOTER_BYTES = 48
_TABLE_MAGIC = 0xDB4775248B80FB57
_BLOCK_TRAILER_BYTES = 5  # compression type, then a checksum
_DT_FLOAT = 1


def read_checkpoint(prefix: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Map every float32 tensor of a checkpoint into memory.

    Parameters
    ----------
    prefix : Path
        Path of the bundle without its endings: `model` for `model.index` and `model.data-00000-of-00001`.

    Returns
    -------
    dict
        Read-only views of the data file by variable name, in the shapes that TensorFlow saved. Tensors of
        other types, such as the step counter, are left out.

    Raises
    ------
    ModelDamagedError
        If a file is missing, is cut, or is not such a bundle.
    """
    index_path = prefix.with_name(prefix.name + ".index")
    data_path = prefix.with_name(prefix.name + ".data-00000-of-00001")
    try:
        index = index_path.read_bytes()
        data = np.memmap(data_path, np.uint8, "r")
    except (OSError, ValueError) as error:
        raise ModelDamagedError(f"The checkpoint {prefix.name} cannot be read: {error}") from error
    try:
        return dict(_tensors(index, data))
    except (IndexError, ValueError, struct.error) as error:
        raise ModelDamagedError(f"The checkpoint index {index_path.name} is damaged: {error}") from error


def _tensors(index: bytes, data: npt.NDArray[np.uint8]) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    for key, value in _table(index):
        if not key:  # the bundle's header
            continue
        entry = _message(value)
        if entry.get(1) != [_DT_FLOAT]:
            continue
        dimensions = _message(_bytes(entry.get(2, [b""])[0])).get(2, [])
        shape = [_integer(_message(_bytes(dimension)), 1) for dimension in dimensions]
        offset, size = _integer(entry, 4), _integer(entry, 5)
        if offset + size > data.size or size != 4 * int(np.prod(shape)):
            raise ValueError(f"{key.decode()} lies outside the data file")
        yield key.decode(), data[offset : offset + size].view(np.float32).reshape(shape)


def _table(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a LevelDB table, in order."""
    footer = table[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or struct.unpack("<Q", footer[-8:])[0] != _TABLE_MAGIC:
        raise ValueError("it is not a table")
    position = 0
    for _ in range(2):  # the handle of the meta-index, which is not needed
        _, position = _varint(footer, position)
    for _, handle in _block(table, *_handle(footer, position)):
        yield from _block(table, *_handle(handle, 0))


def _handle(data: bytes, position: int) -> tuple[int, int]:
    offset, position = _varint(data, position)
    size, _ = _varint(data, position)
    return offset, size


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    block = table[offset : offset + size]
    if len(table) < offset + size + _BLOCK_TRAILER_BYTES or table[offset + size] != 0:
        raise ValueError("a block is cut or compressed")
    end = size - 4 * (1 + struct.unpack("<I", block[-4:])[0])  # the restart points
    key, position = b"", 0
    while position < end:
        shared, position = _varint(block, position)
        unshared, position = _varint(block, position)
        length, position = _varint(block, position)
        key = key[:shared] + block[position : position + unshared]
        position += unshared
        yield key, block[position : position + length]
        position += length


def _message(data: bytes) -> dict[int, list[int | bytes]]:
    """Fields of a protocol buffer by number; only the wire types that a bundle's index uses."""
    fields: dict[int, list[int | bytes]] = {}
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        value: int | bytes
        if tag & 7 == 0:
            value, position = _varint(data, position)
        elif tag & 7 == 2:
            length, position = _varint(data, position)
            value, position = data[position : position + length], position + length
        elif tag & 7 == 5:
            value, position = struct.unpack_from("<I", data, position)[0], position + 4
        else:
            raise ValueError(f"wire type {tag & 7}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _integer(message: dict[int, list[int | bytes]], field: int) -> int:
    value = message.get(field, [0])[-1]
    if not isinstance(value, int):
        raise ValueError(f"field {field} is no number")
    return value


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a message was expected")
    return value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[position]
        result |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return result, position
        shift += 7
