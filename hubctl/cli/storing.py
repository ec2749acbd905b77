"""How much the store holds, for people and as data; part of ``status --storage``.

Apart from ``status``, which is about the fleet.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hubctl.cli import output
from hubctl.store.records import Part, Size

COLUMNS = ("table", "rows", "bytes", "oldest", "newest", "written a day", "grows a day", "in the end")


def storage_data(size: Size, parts: Sequence[Part]) -> dict[str, Any]:
    """The ``storage`` of ``status -o json``."""
    return {
        "bytes": size.bytes,
        "rows": dict(size.rows),
        "writtenPerDay": sum(part.written for part in parts),
        "growsPerDay": sum(part.grows for part in parts),
        "tables": [
            {
                "name": part.table,
                "rows": part.rows,
                "bytes": part.bytes,
                "oldest": part.oldest,
                "newest": part.newest,
                "writtenPerDay": part.written,
                "growsPerDay": part.grows,
                "atEnd": part.at_end,
            }
            for part in parts
        ],
    }


def print_storage(storage: dict[str, Any], now: datetime) -> None:
    """The tables that hold something, and what it comes to."""
    rows = [
        (
            table["name"],
            table["rows"],
            amount(table["bytes"]),
            output.ago(table["oldest"], now),
            output.ago(table["newest"], now),
            amount(table["writtenPerDay"]),
            amount(table["growsPerDay"]),
            "grows on" if table["atEnd"] is None else amount(table["atEnd"]),
        )
        for table in storage["tables"]
        if table["rows"]
    ]
    output.table(COLUMNS, rows)
    output.say(
        f"store: {amount(storage['bytes'])}; {amount(storage['writtenPerDay'])} written a day, "
        f"of which {amount(storage['growsPerDay'])} stay"
    )


def amount(size: float) -> str:
    """``512 B``, ``12 kB``, ``3.4 MB``."""
    for unit, one in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= one:
            return f"{size / one:.1f} {unit}" if size < 10 * one else f"{size / one:.0f} {unit}"
    return f"{size:.0f} B"
