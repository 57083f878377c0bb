"""Builders: what a test needs to exist, in one line and in plain words."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance import ratings
from appliance.accounts import people
from appliance.accounts.people import Account
from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.db import Database, write
from appliance.media import assets, tracks
from appliance.media.assets import Asset
from appliance.permissions import SYSTEM, Actor, Role
from appliance.settings import Settings
from appliance.storage import Storage

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Builders:
    """Makes accounts, titles and assets in the database of one test."""

    db: Database
    settings: Settings
    storage: Storage

    def account(
        self,
        username: str = "ada",
        *,
        password: str = PASSWORD,
        roles: tuple[Role, ...] = (Role.VIEWER,),
        **fields: Any,
    ) -> Account:
        """Create an account that can sign in; hashing its password takes a while."""
        return people.create(
            self.db, self.settings, SYSTEM, username, password, roles=roles, **fields
        )

    def actor(
        self,
        role: Role = Role.VIEWER,
        *,
        username: str | None = None,
        roles: tuple[Role, ...] = (),
    ) -> Actor:
        """Return somebody signed in, with an account and a profile but no password."""
        held = roles or (role,)
        name = username or f"{role}-{secrets.token_hex(3)}"
        with write(self.db):
            account = self._insert(
                "accounts", username=name, display_name=name, created_at=self.db.now()
            )
            for each in held:
                self._insert("role_assignments", account_id=account, role=each.value)
            profile = self._insert(
                "profiles", account_id=account, name=name, created_at=self.db.now()
            )
        return Actor(
            username=name,
            account_id=account,
            profile_id=profile,
            roles=frozenset(held),
            address="192.0.2.1",
        )

    def title(
        self,
        name: str = "The First Film",
        *,
        state: str = "published",
        actor: Actor | None = None,
        genres: tuple[str, ...] = (),
        **fields: Any,
    ) -> Title:
        """Make a title in any state; ``fields`` are columns of its row."""
        now = self.db.now()
        if fields.get("rating"):
            fields.setdefault("age", ratings.age(fields["rating"]))
        with write(self.db):
            title = self._insert(
                "titles",
                **{
                    "slug": f"{_slug(name)}-{secrets.token_hex(4)}",
                    "name": name,
                    "state": state,
                    "created_by": actor.account_id if actor else None,
                    "created_at": now,
                    "updated_at": now,
                    "published_at": now if state == "published" else None,
                }
                | fields,
            )
            for genre in genres:
                self._tag(title, genre)
        return titles.by_id(self.db, title)

    def asset(
        self,
        title: Title | None = None,
        *,
        state: str = "ready",
        duration: float = 10.0,
        heights: tuple[int, ...] = (234, 360),
        languages: tuple[str, ...] = ("en",),
        captions: tuple[str, ...] = (),
        **fields: Any,
    ) -> Asset:
        """Make an asset with its source and, when it is ready, tracks with files.

        The segments hold a few bytes each, not pictures: enough for whatever counts,
        signs, serves or removes them. Without a title a published one is made.
        """
        owner = title or self.title()
        public_id = secrets.token_hex(8)
        source = f"sources/{public_id}/source.mp4"
        self.storage.write(source, b"the source of a film")
        with write(self.db):
            asset = self._insert(
                "assets",
                **{
                    "public_id": public_id,
                    "title_id": owner.id,
                    "state": state,
                    "source_path": source,
                    "source_name": "film.mp4",
                    "source_bytes": 20,
                    "duration": duration if state == "ready" else None,
                    "version": 1 if state == "ready" else 0,
                    "created_at": self.db.now(),
                }
                | fields,
            )
            if state == "ready":
                for height in heights:
                    self._video(asset, public_id, height, duration)
                for language in languages:
                    self._audio(asset, public_id, language, duration)
                for language in captions:
                    self._text(asset, public_id, language)
                self._thumbnails(asset, public_id, duration)
        return assets.by_id(self.db, asset)

    def install(
        self,
        asset: Asset,
        entries: Sequence[Mapping[str, Any]],
        duration: float | None = None,
    ) -> None:
        """Make these the tracks of an asset, and the next version of it."""
        with write(self.db):
            self.db.conn.execute("delete from tracks where asset_id = ?", (asset.id,))
            tracks.add(self.db, asset.id, entries)
            length = duration or asset.duration or 10.0
            assets.switched(self.db, asset.id, asset.version + 1, length)

    def job(self, asset: Asset, *, state: str = "queued", **fields: Any) -> str:
        """Make a job of an asset, without work units; return its public id."""
        public_id = secrets.token_hex(8)
        with write(self.db):
            self._insert(
                "jobs",
                **{
                    "public_id": public_id,
                    "asset_id": asset.id,
                    "state": state,
                    "created_at": self.db.now(),
                }
                | fields,
            )
        return public_id

    def _tag(self, title: int, genre: str) -> None:
        known = self.db.value("select id from genres where name = ?", (genre,))
        known = known or self._insert("genres", slug=_slug(genre), name=genre)
        self._insert("title_genres", title_id=title, genre_id=known)

    def _video(self, asset: int, folder: str, height: int, duration: float) -> None:
        lengths = _segments(duration, 24000)
        self._track(
            asset,
            folder,
            "video",
            files=_segment_files(len(lengths)),
            name=f"{height}p",
            codec="avc1.64000d",
            width=height * 16 // 9 // 2 * 2,
            height=height,
            frame_rate="24/1",
            bandwidth=height * 1500,
            average_bandwidth=height * 1000,
            facts={
                "timescale": 24000,
                "segments": lengths,
                "bytes": [7] * len(lengths),
                "iframes": [
                    [index, sum(lengths[:index]), 2, 3] for index in range(len(lengths))
                ],
            },
        )

    def _audio(self, asset: int, folder: str, language: str, duration: float) -> None:
        lengths = _segments(duration, 48000)
        self._track(
            asset,
            folder,
            "audio",
            files=_segment_files(len(lengths)),
            name=f"audio-{language}",
            codec="mp4a.40.2",
            language=language,
            label=language,
            channels=2,
            bandwidth=130000,
            average_bandwidth=128000,
            facts={
                "timescale": 48000,
                "segments": lengths,
                "bytes": [7] * len(lengths),
                "sample_rate": 48000,
            },
        )

    def _text(self, asset: int, folder: str, language: str) -> None:
        cue = b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello\n"
        self._track(
            asset,
            folder,
            "text",
            files={"text.vtt": cue},
            name=f"text-{language}",
            codec="wvtt",
            language=language,
            label=language,
            role="subtitle",
            facts={"file": "text.vtt"},
        )

    def _thumbnails(self, asset: int, folder: str, duration: float) -> None:
        self._track(
            asset,
            folder,
            "thumbnails",
            files={"00001.jpg": b"a picture"},
            name="thumbnails",
            width=800,
            height=450,
            facts={
                "columns": 5,
                "rows": 5,
                "width": 160,
                "height": 90,
                "step": 5,
                "count": int(duration // 5) + 1,
                "sheets": ["00001.jpg"],
            },
        )

    def _track(
        self,
        asset: int,
        folder: str,
        kind: str,
        *,
        files: dict[str, bytes],
        facts: dict[str, Any],
        **fields: Any,
    ) -> None:
        public_id = secrets.token_hex(8)
        path = f"packages/{folder}/tracks/{public_id}"
        for name, content in files.items():
            self.storage.write(f"{path}/{name}", content)
        self._insert(
            "tracks",
            public_id=public_id,
            asset_id=asset,
            kind=kind,
            path=path,
            bytes=sum(len(content) for content in files.values()),
            facts=json.dumps(facts),
            created_at=self.db.now(),
            **fields,
        )

    def _insert(self, table: str, **row: Any) -> int:
        if table in ("accounts", "profiles", "titles"):
            row.setdefault("public_id", secrets.token_hex(8))
        names = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        cursor = self.db.conn.execute(
            f"insert into {table} ({names}) values ({marks})", tuple(row.values())
        )
        return int(cursor.lastrowid or 0)


def _slug(name: str) -> str:
    return "-".join(name.lower().split())


def _segments(duration: float, timescale: int) -> list[int]:
    whole, rest = divmod(duration, 4)
    lengths = [4 * timescale] * int(whole)
    return lengths + ([round(rest * timescale)] if rest else [])


def _segment_files(count: int) -> dict[str, bytes]:
    segments = {f"{number:05}.m4s": b"segment" for number in range(1, count + 1)}
    return {"init.mp4": b"init"} | segments
