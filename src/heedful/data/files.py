"""One text file, read whole, or one line on why it cannot be."""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path

from heedful.errors import DataError

FORMS = (".txt", ".txt.gz", ".tokens", ".tokens.gz", ".md", ".rst")
MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CONTROLS = bytes({*range(32)} - {9, 10, 12, 13, 27})


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """The text of a file (unpacked if its name ends in .gz), with every line's end as a newline.

    Raises `DataError`: missing, empty, binary, not in `encoding` (with the byte it fails at), a damaged .gz.
    """
    data = read_bytes(path)
    if not data.strip():
        raise DataError(f"{path}: empty: {len(data)} bytes, none of them text")
    text = decode(path, data, encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, unpacked."""
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: not a whole gzip file: {error}") from None
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def decode(path: Path, data: bytes, encoding: str) -> str:
    """The bytes as text; a byte-order mark is obeyed and left out."""
    try:
        wide = data.startswith(MARKS[1:])
        text = data.decode("utf-16" if wide else "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError:
        raise DataError(f"{path}: unknown encoding {encoding!r}: utf-8, latin-1, utf-16 or another that Python knows would work") from None
    except UnicodeError as error:
        raise DataError(undecodable(path, data, encoding, error)) from None
    if "\0" in text:
        raise DataError(f"{path}: binary, not text: a zero byte at {data.find(0)}; a text file would work")
    return text


def undecodable(path: Path, data: bytes, encoding: str, error: UnicodeError) -> str:
    """Why bytes are not text in this encoding: binary, or written in another."""
    strange = len(data[:8192]) - len(data[:8192].translate(None, CONTROLS))
    if strange * 50 > len(data[:8192]):
        return f"{path}: binary, not text: {strange} control bytes in its first {min(len(data), 8192):,}; a text file would work"
    if isinstance(error, UnicodeDecodeError):
        where = f"byte 0x{data[error.start]:02x} at offset {error.start:,} ({error.reason})"
        return f"{path}: not {encoding}: {where}; with data.encoding=latin-1 or its true encoding it can be read"
    return f"{path}: not {encoding}: {error}"
