"""The head of a c3d file: its first block and its parameters, every length checked against the file's."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["BLOCK", "Head", "Parameter", "floats", "read_head"]

BLOCK = 512
_KEY = 0x50
_INTEL, _DEC, _MIPS = 84, 85, 86
_SIZES = {-1: 1, 1: 1, 2: 2, 4: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """The bytes of a parameter, and how to read them."""

    kind: int  # -1 letters, 1 bytes, 2 words, 4 reals
    shape: tuple[int, ...]
    data: bytes
    processor: int

    def texts(self) -> list[str]:
        """Lines of letters, without the blanks that fill them."""
        if self.kind != -1 or not self.shape:
            return []
        width = self.shape[0]
        lines = [self.data[at : at + width] for at in range(0, len(self.data), width)] if width else []
        return [_letters(line) for line in lines]

    def numbers(self) -> Float:
        """(n,) numbers; words without sign, for no count of this format has one."""
        if self.kind == 4:
            return floats(self.data, self.processor)
        if self.kind == 2:
            return np.frombuffer(self.data, dtype=f"{_order(self.processor)}u2").astype(np.float64)
        return np.frombuffer(self.data, dtype=np.uint8).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first block of a file, and its parameters by ``GROUP:NAME``."""

    points: int
    analog: int  # samples per frame, of all channels
    first: int
    last: int
    scale: float
    data_block: int
    rate_hz: float
    processor: int
    parameters: Mapping[str, Parameter]

    def number(self, name: str) -> float | None:
        """The first number of a parameter."""
        parameter = self.parameters.get(name)
        if parameter is None or parameter.kind == -1:
            return None
        values = parameter.numbers()
        return float(values[0]) if values.size else None

    def long_number(self, name: str) -> int | None:
        """A number in two words, the lower one first."""
        parameter = self.parameters.get(name)
        if parameter is None or parameter.kind != 2:
            return None
        words = parameter.numbers()
        return int(words[0]) + 65536 * int(words[1]) if words.size == 2 else None

    def texts(self, name: str) -> list[str]:
        """The lines of a parameter, and of those that continue it: LABELS, LABELS2, LABELS3..."""
        found = self.parameters.get(name)
        lines = found.texts() if found else []
        number = 2
        while more := self.parameters.get(f"{name}{number}"):
            lines += more.texts()
            number += 1
        return lines


def read_head(path: Path, data: bytes) -> Head:
    """Read all but the data.

    Raises
    ------
    DataError
        If the file is cut off within its head, or is no c3d.
    """
    if len(data) < BLOCK:
        raise _cut(path, f"a c3d file begins with {BLOCK} bytes of header, and there are {len(data)}")
    if data[1] != _KEY:
        raise DataError(f"{path}, byte 2: this is no c3d file; its second byte is not 0x50", reason="not-a-recording")
    at = (data[0] - 1) * BLOCK
    if at < BLOCK or at + 4 > len(data):
        raise _cut(path, f"its parameters should begin at byte {at + 1}, and there are {len(data)} bytes")
    processor = data[at + 3]
    if processor not in (_INTEL, _DEC, _MIPS):
        raise DataError(
            f"{path}, byte {at + 4}: {processor} is no processor that c3d knows (84 Intel, 85 DEC, 86 MIPS); "
            "the file is damaged",
            reason="damaged",
        )
    order = _order(processor)
    words = struct.unpack_from(f"{order}5H", data, 2)
    return Head(
        points=words[0],
        analog=words[1],
        first=words[2],
        last=words[3],
        scale=float(floats(data[12:16], processor)[0]),
        data_block=struct.unpack_from(f"{order}H", data, 16)[0],
        rate_hz=float(floats(data[20:24], processor)[0]),
        processor=processor,
        parameters=_parameters(path, data, at + 4, processor),
    )


def floats(data: bytes, processor: int) -> Float:
    """Reals of four bytes; those of DEC machines have their halves exchanged and are four times as large."""
    with np.errstate(invalid="ignore"):  # of NaN that signal
        if processor == _DEC:
            words = np.frombuffer(data, dtype="<u2").reshape(-1, 2)[:, ::-1]
            return np.ascontiguousarray(words).view("<f4").ravel().astype(np.float64) / 4.0
        return np.frombuffer(data, dtype=f"{_order(processor)}f4").astype(np.float64)


def _order(processor: int) -> str:
    return ">" if processor == _MIPS else "<"


def _parameters(path: Path, data: bytes, at: int, processor: int) -> dict[str, Parameter]:
    """Groups and parameters in whatever order they come."""
    order = _order(processor)
    groups: dict[int, str] = {}
    found: list[tuple[int, str, Parameter]] = []
    size = len(data)

    def need(upto: int) -> None:
        if upto > size:
            raise _cut(path, f"a parameter goes on to byte {upto}, and there are {size} bytes")

    while True:
        need(at + 2)
        length, number = struct.unpack_from("bb", data, at)
        length = abs(length)  # negative where the parameter is locked
        if length == 0 or number == 0:
            break
        at += 2
        need(at + length + 2)
        name = _letters(data[at : at + length]).upper()
        at += length
        step = struct.unpack_from(f"{order}H", data, at)[0]
        if number < 0:
            groups[-number] = name
        else:
            found.append((number, name, _parameter(path, data, at + 2, processor)))
        if step == 0:
            break
        at += step
    return {f"{groups.get(number, '?')}:{name}": parameter for number, name, parameter in found}


def _parameter(path: Path, data: bytes, at: int, processor: int) -> Parameter:
    size = len(data)
    if at + 2 > size:
        raise _cut(path, f"a parameter goes on beyond byte {size}, the last")
    kind, dimensions = struct.unpack_from("bB", data, at)
    if kind not in _SIZES:
        raise DataError(f"{path}, byte {at + 1}: {kind} is no type of a c3d parameter; the file is damaged")
    shape = tuple(data[at + 2 : at + 2 + dimensions])
    begin = at + 2 + dimensions
    end = begin + prod(shape) * _SIZES[kind]
    if len(shape) < dimensions or end > size:
        raise _cut(path, f"a parameter goes on to byte {end}, and there are {size} bytes")
    return Parameter(kind=kind, shape=shape, data=data[begin:end], processor=processor)


def _letters(data: bytes) -> str:
    data = data.split(b"\0")[0]
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError:
        return data.decode("latin-1").strip()


def _cut(path: Path, what: str) -> DataError:
    return DataError(f"{path}: the file is cut off or damaged: {what}; copy it again", reason="truncated")
