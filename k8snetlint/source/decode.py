"""Bytes to text: the encodings that Kubernetes' own tools accept, and what is said of the others."""

from __future__ import annotations

import codecs
from typing import NamedTuple


class Decoded(NamedTuple):
    """The text of a file without its byte order mark, and what is needed to write it back unchanged."""

    text: str
    encoding: str
    mark: bytes

    def encode(self, text: str) -> bytes:
        """Another text in the same encoding, with the same byte order mark."""
        return self.mark + text.encode(self.encoding)


class DecodeError(ValueError):
    """The bytes are not text. `text` holds what could be read, `offset` the first code point that could not."""

    def __init__(self, message: str, help_: str, text: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.help = help_
        self.text = text
        self.offset = offset


def decode(data: bytes) -> Decoded:
    """The text of UTF-8 or UTF-16 bytes, with or without a byte order mark.

    Raises DecodeError for anything else, NUL characters included: no manifest has them.
    """
    encoding, mark = _encoding(data)
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        readable = data[len(mark) : len(mark) + error.start].decode(encoding, "replace")
        byte = len(mark) + error.start
        if b"\0" in data[:8192] and encoding == "utf-8":
            raise DecodeError("is binary", "give only YAML and JSON files, or exclude it") from None
        name = "UTF-8" if encoding == "utf-8" else "UTF-16"
        raise DecodeError(
            f"is not valid {name}: byte 0x{data[byte]:02x} at offset {byte}",
            "save the file as UTF-8",
            readable + "\ufffd",
            len(readable),
        ) from None
    if "\0" in text:
        raise DecodeError("is binary: it has NUL characters", "give only YAML and JSON files, or exclude it")
    return Decoded(text, encoding, mark)


def _encoding(data: bytes) -> tuple[str, bytes]:
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8", codecs.BOM_UTF8
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise DecodeError("is UTF-32, which Kubernetes' tools do not read", "save the file as UTF-8")
    if data.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le", codecs.BOM_UTF16_LE
    if data.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be", codecs.BOM_UTF16_BE
    # A manifest begins with an ASCII character: where its zero byte stands tells the order (YAML 1.2, section 5.2).
    first = data[:4]
    if len(first) == 4 and first[0] and not first[1] and first[2] and not first[3]:
        return "utf-16-le", b""
    if len(first) == 4 and not first[0] and first[1] and not first[2] and first[3]:
        return "utf-16-be", b""
    return "utf-8", b""
