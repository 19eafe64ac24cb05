"""The sources that are read through another one: their configurations as their reader tells them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from infertop.commands.sources import is_local
from infertop.engine.collector import SourceConfig
from infertop.engine.members import Through
from infertop.money.source_section import source_id
from infertop.readings.model import Batch, Member

_HERE = "http://127.0.0.1"


class Membership:
    """Members by name. `through` are the sources that have some, by name."""

    def __init__(self, own_names: frozenset[str]) -> None:
        self.configs: dict[str, SourceConfig] = {}
        self.through: dict[str, Through] = {}
        self._own_names = own_names
        self._readers: dict[str, str] = {}

    def take(self, batch: Batch, reader: SourceConfig | None) -> bool:
        """Take the members of a batch; return whether there is news for others than the members themselves."""
        news = False
        for member in batch.members:
            counts = member.counts if reader is None or reader.counts is not False else False
            config = SourceConfig(
                member.kind,
                member.name,
                member.url,
                member.interval_seconds,
                gpus=self.through[batch.source].gpus.get(member.name, ()) if batch.source in self.through else (),
                counts=counts,
            )
            before = self.configs.get(member.name)
            news = (
                news
                or before is None
                or replace(before, interval_seconds=0, gpus=()) != replace(config, interval_seconds=0, gpus=())
            )
            self.configs[member.name] = config
            self._readers[member.name] = batch.source
        return news

    def of(self, reader: str) -> list[str]:
        """Return the names of the members of a source."""
        return [name for name, each in self._readers.items() if each == reader]

    def forget(self, reader: str) -> list[str]:
        """Forget the members of a source that is not read any more; return their names."""
        gone = self.of(reader)
        for name in gone:
            del self._readers[name], self.configs[name]
        self.through.pop(reader, None)
        return gone

    def reads(self, member: Member, direct: Iterable[SourceConfig], but: Collection[str]) -> str:
        """Return which of the sources read directly, `but` these, is at a member's place; empty where none is."""
        place = self._place(member.url)
        return next(
            (each.name for each in direct if place and each.name not in but and place == self._place(each.url)), ""
        )

    def _place(self, url: str) -> str:
        """Return host and port, those of this machine under one name."""
        if not url:
            return ""
        place = source_id("", url)
        return source_id("", f"{_HERE}:{place.rpartition(':')[2]}") if self._is_here(url) else place

    def _is_here(self, url: str) -> bool:
        return is_local(SourceConfig("", "", url), self._own_names)
