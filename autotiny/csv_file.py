"""Rows of .csv files that may be foreign, damaged or compressed, with errors that name the line."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

from autotiny.errors import AutotinyError


class CsvError(AutotinyError):
    """Text that is not a table of comma-separated values."""


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the fields of each row of a .csv or .csv.gz file, skipping blank lines.

    Raises OSError if the file cannot be opened, and CsvError if it cannot be decoded.
    """
    opened = (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="")
    with cast(TextIO, opened) as file:
        reader = csv.reader(file, strict=True)
        try:
            for fields in reader:
                if len(fields) > 1 or "".join(fields).strip():
                    yield reader.line_num, fields
        except csv.Error as error:
            raise CsvError(f"line {reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise CsvError(f"after line {reader.line_num}: not UTF-8 text ({error.reason})") from error
        except (EOFError, zlib.error) as error:
            raise CsvError(f"after line {reader.line_num}: the compressed file is damaged ({error})") from error


def is_number(text: str) -> bool:
    """Whether a field is a number as Python writes it.

    >>> is_number(" 1e3"), is_number("nan"), is_number("1;2")
    (True, True, False)
    """
    try:
        float(text)
    except ValueError:
        return False
    return True
