"""Which glacier is this outline? By identifier, by alias, else by overlap; a glacier that nobody knows is founded."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence

import shapely
from django.contrib.gis.geos import GEOSGeometry, Point
from shapely.geometry.base import BaseGeometry

from inventory.identifiers import derived_id
from inventory.models import Glacier, Outline, Source
from inventory.records import OutlineRecord
from inventory.regions import region_of

OVERLAP = 0.5
"""Share of the smaller outline (without an identifier of its own) or of the union (with one) that must be common."""


class Matcher:
    """Finds or founds the glacier of each record of one import. No two rows with different RGI ids share a glacier."""

    def __init__(self, records: Sequence[OutlineRecord], source: Source) -> None:
        self.source = source
        self.founded = 0
        self._changed: dict[int, Glacier] = {}
        self._by_id = {g.glac_id: g for g in Glacier.objects.filter(glac_id__in={r.glac_id for r in records})}
        self._by_alias = self._known_aliases(records)
        self._rgi_of: dict[int, str] = {}
        self._claimed: dict[int, set[str]] = defaultdict(set)

    def _known_aliases(self, records: Sequence[OutlineRecord]) -> dict[tuple[str, str], Glacier]:
        """(kind, text) to glacier. A local id means something only within its own source."""
        found: dict[tuple[str, str], Glacier] = {}
        for kind in ("rgi_id", "wgms_id", "local_id"):
            asked = sorted({r.aliases[kind] for r in records if kind in r.aliases})
            if not asked:
                continue
            known = Glacier.objects.filter(**{f"aliases__{kind}__has_any_keys": asked})
            if kind == "local_id":
                known = known.filter(outlines__source=self.source).distinct()
            found |= {(kind, name): glacier for glacier in known for name in glacier.aliases[kind]}
        return found

    def glacier_of(self, record: OutlineRecord) -> Glacier:
        """The record's glacier, with its new identifiers taken over; founded where there is none."""
        found = self._named(record) or self._overlapping(record)
        if found is None or not self._free(found, record):
            found = self._found(record)
        self._claim(found, record)
        return found

    def _named(self, record: OutlineRecord) -> Glacier | None:
        if record.glac_id in self._by_id:
            return self._by_id[record.glac_id]
        keys = [(kind, record.aliases[kind]) for kind in ("rgi_id", "local_id", "wgms_id") if kind in record.aliases]
        return next((self._by_alias[key] for key in keys if key in self._by_alias), None)

    def _overlapping(self, record: OutlineRecord) -> Glacier | None:
        """The glacier with the largest common area, where that is large enough and nothing else of this kind has it."""
        box = GEOSGeometry(memoryview(shapely.box(*record.geometry.bounds).wkb), srid=4326)
        near = Outline.objects.filter(geometry__bboverlaps=box, simulated=record.simulated).select_related("glacier")
        best: tuple[float, Glacier | None] = (0.0, None)
        for outline in near[:500]:
            shared = _share(record.geometry, shapely.from_wkb(bytes(outline.geometry.wkb)), bool(record.glac_id))
            if shared >= OVERLAP and shared > best[0] and not self._taken(outline.glacier_id, record):
                best = (shared, outline.glacier)
        return best[1]

    def _free(self, glacier: Glacier, record: OutlineRecord) -> bool:
        """False for a second fragment of one file that shares its GLIMS id with another but has its own RGI id."""
        mine = record.aliases.get("rgi_id", "")
        return not mine or self._rgi_of.get(glacier.pk, mine) == mine

    def _taken(self, glacier_id: int, record: OutlineRecord) -> bool:
        """Whether another row of the same date in this file is that glacier already."""
        return _when(record) in self._claimed[glacier_id]

    def _found(self, record: OutlineRecord) -> Glacier:
        point = record.geometry.representative_point()
        known = record.glac_id and record.glac_id not in self._by_id
        glac_id = record.glac_id if known else derived_id(record.geometry, self._id_taken)
        glacier = Glacier.objects.create(
            glac_id=glac_id,
            id_source=Glacier.IdSource.GLIMS if known else Glacier.IdSource.DERIVED,
            name=record.name,
            region=region_of(record.region, point.x, point.y, record.simulated),
            point=Point(point.x, point.y, srid=4326),
            simulated=record.simulated,
        )
        self.founded += 1
        return glacier

    def _id_taken(self, glac_id: str) -> bool:
        return glac_id in self._by_id or Glacier.objects.filter(glac_id=glac_id).exists()

    def _claim(self, glacier: Glacier, record: OutlineRecord) -> None:
        self._by_id.setdefault(glacier.glac_id, glacier)
        self._claimed[glacier.pk].add(_when(record))
        if rgi_id := record.aliases.get("rgi_id"):
            self._rgi_of.setdefault(glacier.pk, rgi_id)
        names = dict(record.aliases)
        if record.glac_id and record.glac_id != glacier.glac_id:
            names["glims_id"] = record.glac_id
            self._by_id.setdefault(record.glac_id, glacier)
        for kind, name in names.items():
            self._by_alias[(kind, name)] = glacier
        if learn(glacier, record.name, names, record.status, record.also_rgi_ids):
            self._changed[glacier.pk] = glacier

    def save(self) -> None:
        """Write the names, identifiers and states that glaciers took over."""
        Glacier.objects.bulk_update(
            self._changed.values(), ["name", "aliases", "alias_text", "status"], batch_size=1000
        )
        self._changed.clear()


def learn(
    glacier: Glacier, name: str, aliases: dict[str, str], status: str = "", also_rgi_ids: Sequence[str] = ()
) -> bool:
    """Take over a first name, new identifiers and a status; True where anything changed. Nothing is saved here."""
    before = (glacier.name, str(glacier.aliases), glacier.alias_text, glacier.status)
    glacier.name = glacier.name or name
    glacier.status = status or glacier.status
    for kind, value in [*aliases.items(), *(("rgi_id", value) for value in also_rgi_ids)]:
        known = glacier.aliases.setdefault(kind, [])
        if value not in known:
            known.append(value)
    if name and name != glacier.name and name not in glacier.aliases.get("name", []):
        glacier.aliases.setdefault("name", []).append(name)
    words = [glacier.glac_id, glacier.name, *(value for values in glacier.aliases.values() for value in values)]
    glacier.alias_text = " ".join(dict.fromkeys(form for word in words for form in (word.lower(), plain(word)) if form))
    return before != (glacier.name, str(glacier.aliases), glacier.alias_text, glacier.status)


def plain(word: str) -> str:
    """Lower case without diacritics: what somebody types who has no such keyboard."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))


def _when(record: OutlineRecord) -> str:
    return record.when.start.isoformat()


def _share(one: BaseGeometry, other: BaseGeometry, own_id: bool) -> float:
    """Common area (planar degrees: a ratio at one place) over the smaller, or over both for two named glaciers."""
    common = one.intersection(other).area
    if not common:
        return 0.0
    return common / (one.area + other.area - common if own_id else min(one.area, other.area))
