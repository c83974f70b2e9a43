#!/usr/bin/env python3
"""read_safetensors.py FILE: prints what a safetensors file holds, read by its definition with nothing of the library.

A line for each key of the metadata, "meta KEY TEXT", sorted; a line for each tensor in the order of the header,
"tensor NAME DTYPE SHAPE VALUES", where values are hexadecimal floating-point numbers, in the order of the file."""
import json
import struct
import sys

LETTERS = {"F64": "d", "F32": "f", "BOOL": "?"}


def main(name):
    with open(name, "rb") as file:
        content = file.read()
    (length,) = struct.unpack_from("<Q", content)
    start = 8 + length
    header = json.loads(content[8:start].decode("utf-8"))
    for key, text in sorted(header.pop("__metadata__", {}).items()):
        print("meta", key, text)
    end = 0
    for name, entry in header.items():
        begin, stop = entry["data_offsets"]
        letter = LETTERS[entry["dtype"]]
        count = 1
        for size in entry["shape"]:
            count *= size
        assert stop - begin == count * struct.calcsize("<" + letter), name
        assert (start + begin) % struct.calcsize("<" + letter) == 0, name
        values = struct.unpack_from("<%d%s" % (count, letter), content, start + begin)
        print("tensor", name, entry["dtype"], entry["shape"], *(float(v).hex() for v in values))
        end = max(end, stop)
    assert start + end == len(content)


main(sys.argv[1])
