"""What a browser's form says, read as strictly as the API's bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import ValidationError

from heedful.errors import UsageError
from heedful.tasks.task import Asked
from heedful.web.bodies import Drawing
from heedful.web.hall import Hall
from heedful.web.parcel import place
from heedful.web.runs.run import Upload, Wanted
from heedful.web.station import Station

NUMBERS = ("temperature", "top_k", "max_tokens", "seed")


@final
class Form:
    """The fields of a form; what is not there is empty."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def silent(self) -> tuple[tuple[int, int], ...]:
        """The heads to be muted, as in `1.4 2.1`."""
        found = []
        for name in dict.fromkeys(self["silent"].split()):
            layer, head = place(name)
            if layer is None or head is None:
                raise UsageError(f"{name!r} names no single head: LAYER.HEAD counted from 1 would work")
            found.append((layer, head))
        return tuple(sorted(found))

    def wanted(self, hall: Hall, station: Station, text: str = "text") -> Wanted:
        """The look at a text, or at a file that was brought before, that the form asks for."""
        if station.run.takes == "file":
            return Wanted("", "", self.asked(hall, station), self.silent, self["planned"] == "1", self.brought(station, text))
        return Wanted(self[text], self["second"].strip(), self.asked(hall, station), self.silent, planned=self["planned"] == "1")

    def brought(self, station: Station, text: str) -> Upload:
        """The file that was brought under the name in a field."""
        file = station.store.wanted(self[text]).file if self[text] else None
        if file is None:
            which = "no other file" if text == "other" else "no file"
            raise UsageError(f"there is {which}: one that is dropped, chosen, drawn or recorded would work")
        return file

    def asked(self, hall: Hall, station: Station) -> Asked:
        """How a continuation is drawn; where nothing is drawn, always the same."""
        if not station.run.goes_on:
            return Asked(seed=0)
        try:
            drawing = Drawing.model_validate(
                {name: number(self[name]) for name in NUMBERS if self[name]} | {"seed": number(self["seed"] or "0")}
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise UsageError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        return hall.asked(station, drawing)


async def form_of(request: Request) -> Form:
    """A form as browsers send it (application/x-www-form-urlencoded)."""
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError as error:
        raise UsageError(f"the form cannot be read: {error}") from None
    return Form({name: value.replace("\r\n", "\n") for name, value in pairs})


def number(text: str) -> Any:
    """A field's number, a whole one where it is written so; `UsageError` for anything else."""
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        raise UsageError(f"{text!r} is no number") from None
