#!/usr/bin/env python3
"""Stores published inputs and outputs of operators as plain text, for tests/nn/onnx_test.cpp.

    extract.py DATA CASE...  > values.txt

DATA is the folder "data" of ONNX's operator tests (Debian's package libonnx-testdata installs it); a CASE is a folder below it, such as
pytorch-converted/test_Conv2d, whose numbers were computed by PyTorch. Reads the protocol buffers by itself: a message is a list of
(field, value), integers as varints, floats as 4 bytes, everything else by length.
"""
import os
import struct
import sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
            value -= (value >> 63) << 64
        elif kind == 1:
            value, at = data[at:at + 8], at + 8
        elif kind == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def packed(values, unpack):
    """A repeated number: one by one, or all in one piece."""
    return [n for value in values for n in (unpack(value) if isinstance(value, bytes) else [value])]


def integers(data):
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value - ((value >> 63) << 64)


def tensor(data):
    parts = {}
    for field, value in fields(data):
        parts.setdefault(field, []).append(value)
    sizes = packed(parts.get(1, []), integers)
    kind = parts[2][0]
    code = {1: "f", 6: "i", 7: "q", 9: "?", 11: "d"}[kind]
    if 9 in parts:
        raw = parts[9][0]
        numbers = struct.unpack("<%d%s" % (len(raw) // struct.calcsize(code), code), raw)
    elif kind == 1:
        numbers = packed(parts.get(4, []), lambda v: struct.unpack("<%df" % (len(v) // 4), v))
    else:
        numbers = packed(parts.get(7, parts.get(5, [])), integers)
    name = parts[8][0].decode() if 8 in parts else ""
    return name, sizes, numbers


def attribute(data):
    name, value = "", None
    numbers = []
    for field, part in fields(data):
        if field == 1:
            name = part.decode()
        elif field in (2, 3):
            value = [part]
        elif field == 4:
            value = [part.decode()]
        elif field == 7:
            numbers += [part] if not isinstance(part, bytes) else list(struct.unpack("<%df" % (len(part) // 4), part))
        elif field == 8:
            numbers += [part] if not isinstance(part, bytes) else list(integers(part))
    return name, numbers or value or []


def write(role, name, sizes, numbers):
    print(role, name or "-", len(sizes), *sizes)
    print(*("%.9g" % n for n in numbers))


def extract(folder, case):
    with open(os.path.join(folder, "model.onnx"), "rb") as file:
        graph = next(value for field, value in fields(file.read()) if field == 7)
    nodes = [value for field, value in fields(graph) if field == 1]
    print("case", case)
    for node in nodes:
        parts = list(fields(node))
        print("node", next(v.decode() for f, v in parts if f == 4), *(v.decode() or "-" for f, v in parts if f == 1))
        for name, values in (attribute(v) for f, v in parts if f == 5):
            print("attribute", name, *values)
    weights = dict((name, (sizes, numbers)) for name, sizes, numbers in (tensor(v) for f, v in fields(graph) if f == 5))
    for name, (sizes, numbers) in weights.items():
        write("input", name, sizes, numbers)
    names = [next(v.decode() for f, v in fields(value) if f == 1) for field, value in fields(graph) if field == 11]
    names = [name for name in names if name not in weights]
    data = os.path.join(folder, "test_data_set_0")
    for i, name in enumerate(names):
        with open(os.path.join(data, "input_%d.pb" % i), "rb") as file:
            write("input", name, *tensor(file.read())[1:])
    outputs = [next(v.decode() for f, v in fields(value) if f == 1) for field, value in fields(graph) if field == 12]
    for i, name in enumerate(outputs):
        with open(os.path.join(data, "output_%d.pb" % i), "rb") as file:
            write("output", name, *tensor(file.read())[1:])


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for case in sys.argv[2:]:
        extract(os.path.join(sys.argv[1], case), case)
