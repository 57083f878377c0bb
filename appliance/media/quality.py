"""Quality reports: what was measured of a version of a film, and who let it pass.

A report belongs to a version of an asset. What only adds to a film, or encrypts it
anew, adds to its report too; the decision of a reviewer stays with what it was about.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.db import Database, Row, write
from appliance.errors import NotFound
from appliance.media import assets
from appliance.media.assets import Asset
from appliance.media.findings import LEVELS, VERDICTS, together
from appliance.permissions import Actor, visible

_LONGEST_COMMENT = 2000


class Verdict(StrEnum):
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"


class Review(StrEnum):
    """What a reviewer decided."""

    NONE = "none"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Report:
    """One row. ``report`` is what the step ``verify`` found.

    ``publishes`` says that the title is to be published as soon as it is approved.
    """

    id: int
    public_id: str
    asset_id: int
    version: int
    verdict: Verdict
    report: dict[str, Any]
    review: Review
    reviewer: str
    comment: str
    reviewed_at: str | None
    created_at: str
    publishes: bool

    @property
    def checks(self) -> list[dict[str, Any]]:
        """The checks, what is wrong first."""
        found: list[dict[str, Any]] = self.report.get("checks", [])
        return sorted(found, key=lambda each: -LEVELS.index(each["level"]))


@dataclass(frozen=True, slots=True)
class Listed:
    """A report as a list shows it, with the title that it speaks of."""

    title: str
    title_slug: str
    title_state: str
    asset: str
    version: int
    verdict: Verdict
    review: Review
    reviewer: str
    failed: int
    warned: int
    created_at: str


def record(
    db: Database,
    asset_id: int,
    version: int,
    report: Mapping[str, Any],
    *,
    adds: bool = False,
    publishes: bool = False,
) -> None:
    """Keep what verification found of a version.

    With ``adds`` it speaks of a part only and is put together with what is known of
    that version. A decision stands unless what it was about is another film, or worse.
    Verification of older jobs gave no verdict: there is nothing to keep of it.
    """
    if "verdict" not in report:
        return
    with write(db):
        before = of_version(db, asset_id, version)
        kept = adds and before is not None
        found = together(before.report, report) if kept and before else dict(report)
        worse = before is None or VERDICTS.index(found["verdict"]) > VERDICTS.index(
            before.verdict
        )
        _insert(db, asset_id, version, found, publishes=publishes)
        if worse:
            _forget_review(db, asset_id, version)


def inherit(db: Database, asset_id: int, before: int, version: int) -> None:
    """Let a version that is like the one before have its report and its review."""
    with write(db):
        db.conn.execute(
            """
            insert or ignore into qc_reports (public_id, asset_id, version, verdict,
                report, review, reviewer_id, reviewer, comment, reviewed_at,
                publishes, created_at)
            select ?, asset_id, ?, verdict, report, review, reviewer_id, reviewer,
                comment, reviewed_at, publishes, created_at
            from qc_reports where asset_id = ? and version = ?
            """,
            (secrets.token_hex(8), version, asset_id, before),
        )


def of_version(db: Database, asset_id: int, version: int) -> Report | None:
    """Return the report of a version; None when it was never checked."""
    row = db.one(
        "select * from qc_reports where asset_id = ? and version = ?",
        (asset_id, version),
    )
    return None if row is None else _report(row)


def latest(db: Database, asset: Asset) -> Report | None:
    """Return the report of the version that is served."""
    return of_version(db, asset.id, asset.version)


def of_asset(db: Database, asset_id: int) -> list[Report]:
    """Return the reports of every version, the newest first."""
    rows = db.rows(
        "select * from qc_reports where asset_id = ? order by version desc",
        (asset_id,),
    )
    return [_report(row) for row in rows]


def of_title(db: Database, actor: Actor, slug: str) -> tuple[Title, Asset, Report]:
    """Return the report of what plays of a title.

    Errors: ``NotFound`` when there is no such title, no film, or no report of it.
    """
    title = titles.by_slug(db, actor, slug)
    asset = assets.playable(db, title.id)
    if asset is None:
        raise NotFound("quality.no-film", f"“{title.name}” has no film yet.")
    report = latest(db, asset)
    if report is None:
        raise NotFound(
            "quality.missing",
            f"“{title.name}” has no quality report yet:"
            f" make one with `matinee quality check {title.slug}`.",
        )
    return title, asset, report


def listing(
    db: Database,
    actor: Actor,
    *,
    verdict: Verdict | None = None,
    review: Review | None = None,
    limit: int = 100,
) -> list[Listed]:
    """Return the reports of the versions that are served, the newest first."""
    condition, params = visible(actor, db.now())
    rows = db.rows(
        f"""
        select titles.name, titles.slug, titles.state, assets.public_id as asset,
            q.version, q.verdict, q.review, q.reviewer, q.report, q.created_at
        from qc_reports q
        join assets on assets.id = q.asset_id and assets.version = q.version
        join titles on titles.id = assets.title_id
        where {condition}
            and (:verdict is null or q.verdict = :verdict)
            and (:review is null or q.review = :review)
        order by q.created_at desc, q.id desc
        limit :limit
        """,
        {**params, "verdict": verdict, "review": review, "limit": limit},
    )
    return [_listed(row) for row in rows]


def _insert(
    db: Database,
    asset_id: int,
    version: int,
    report: Mapping[str, Any],
    *,
    publishes: bool,
) -> None:
    db.conn.execute(
        """
        insert into qc_reports (public_id, asset_id, version, verdict, report,
            publishes, created_at)
        values (?, ?, ?, ?, ?, ?, ?)
        on conflict (asset_id, version) do update set verdict = excluded.verdict,
            report = excluded.report, created_at = excluded.created_at,
            publishes = max(publishes, excluded.publishes)
        """,
        (
            secrets.token_hex(8),
            asset_id,
            version,
            Verdict(report["verdict"]).value,
            json.dumps(report, separators=(",", ":")),
            publishes,
            db.now(),
        ),
    )


def _forget_review(db: Database, asset_id: int, version: int) -> None:
    db.conn.execute(
        """
        update qc_reports
        set review = 'none', reviewer_id = null, reviewer = '', comment = '',
            reviewed_at = null
        where asset_id = ? and version = ?
        """,
        (asset_id, version),
    )


def _report(row: Row) -> Report:
    return Report(
        id=row["id"],
        public_id=row["public_id"],
        asset_id=row["asset_id"],
        version=row["version"],
        verdict=Verdict(row["verdict"]),
        report=json.loads(row["report"]),
        review=Review(row["review"]),
        reviewer=row["reviewer"],
        comment=row["comment"],
        reviewed_at=row["reviewed_at"],
        created_at=row["created_at"],
        publishes=bool(row["publishes"]),
    )


def _listed(row: Row) -> Listed:
    levels = [each["level"] for each in json.loads(row["report"]).get("checks", [])]
    return Listed(
        title=row["name"],
        title_slug=row["slug"],
        title_state=row["state"],
        asset=row["asset"],
        version=row["version"],
        verdict=Verdict(row["verdict"]),
        review=Review(row["review"]),
        reviewer=row["reviewer"],
        failed=levels.count("fail"),
        warned=levels.count("warn"),
        created_at=row["created_at"],
    )
