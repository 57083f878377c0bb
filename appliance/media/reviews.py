"""Reviews: who lets a film pass, and what must have passed before it is shown."""

from appliance.catalog import states, titles
from appliance.catalog.titles import Title, TitleState
from appliance.db import Database, write
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.media import assets
from appliance.media.assets import Asset
from appliance.media.quality import Report, Review, Verdict, latest, of_version
from appliance.permissions import SYSTEM, Action, Actor, check
from appliance.settings import Settings

_LONGEST_COMMENT = 2000


def require_publishable(db: Database, settings: Settings, title: Title) -> None:
    """Refuse to show a film that did not pass, or that nobody approved who must.

    Who approves a film that failed its checks lets it pass all the same.
    Errors: ``Conflict`` with ``quality.rejected``, ``.failed``, ``.unchecked`` or
    ``.unreviewed``.
    """
    asset = assets.playable(db, title.id)
    found = latest(db, asset) if asset is not None else None
    if asset is None or (found is None and not settings.quality.review):
        return
    if found is None:
        raise Conflict(
            "quality.unchecked",
            f"“{title.name}” must be approved and has no quality report yet: make one"
            f" with `matinee quality check {title.slug}`.",
        )
    if found.review is Review.APPROVED:
        return
    if found.review is Review.REJECTED:
        said = f": {found.comment}" if found.comment else "."
        raise Conflict(
            "quality.rejected",
            f"“{title.name}” was rejected by {found.reviewer}{said}",
        )
    if found.verdict is Verdict.FAILED and settings.quality.block:
        raise Conflict(
            "quality.failed",
            f"“{title.name}” did not pass its quality checks: {_worst(found)}"
            " Somebody may approve it all the same.",
        )
    if settings.quality.review:
        raise Conflict(
            "quality.unreviewed",
            f"“{title.name}” waits for somebody to approve its quality.",
        )


def review(
    db: Database,
    settings: Settings,
    actor: Actor,
    asset: Asset,
    version: int,
    decision: Review,
    comment: str = "",
) -> Report:
    """Approve or reject a version of a film.

    Approving publishes what was to be published when it is ready; rejecting takes the
    film that is served out of the portal.
    Errors: ``NotFound``; ``Forbidden`` (``quality.four-eyes``); ``InvalidInput``
    (``quality.comment``).
    """
    check(actor, Action.REVIEW_DECIDE)
    comment = " ".join(comment.split())
    with write(db):
        found = of_version(db, asset.id, version)
        if found is None:
            raise NotFound(
                "quality.missing", f"There is no quality report of version {version}."
            )
        if settings.quality.four_eyes:
            _require_four_eyes(db, actor, asset)
        _require_reason(found, decision, comment)
        _decide(db, actor, found, decision, comment)
        record(
            db,
            actor,
            Event.REVIEW_DECIDE,
            f"asset/{asset.public_id}",
            version=version,
            decision=decision.value,
            verdict=found.verdict.value,
            comment=comment,
        )
        if version == assets.by_id(db, asset.id).version:
            _follow(db, found, asset, decision)
        return of_version(db, asset.id, version) or found


def hindered(db: Database, settings: Settings, actor: Actor, asset: Asset) -> str:
    """Say why somebody may not decide on a film, although reviewers may; or nothing."""
    if not settings.quality.four_eyes:
        return ""
    try:
        _require_four_eyes(db, actor, asset)
    except Forbidden as error:
        return error.message
    return ""


def withhold(db: Database, settings: Settings, asset_id: int) -> None:
    """Take a title out of the portal whose new film nobody approved who must.

    It comes back by itself when somebody does.
    """
    with write(db):
        asset = assets.by_id(db, asset_id)
        title = titles.by_id(db, asset.title_id)
        try:
            require_publishable(db, settings, title)
        except Conflict:
            if title.state is TitleState.PUBLISHED:
                states.unpublish(db, SYSTEM, title.slug)
                db.conn.execute(
                    """
                    update qc_reports set publishes = 1
                    where asset_id = ? and version = ?
                    """,
                    (asset.id, asset.version),
                )


def _follow(db: Database, found: Report, asset: Asset, decision: Review) -> None:
    """Show or hide the title of a film that was decided on."""
    title = titles.by_id(db, asset.title_id)
    if decision is Review.REJECTED and title.state is TitleState.PUBLISHED:
        states.unpublish(db, SYSTEM, title.slug)
    elif (
        decision is Review.APPROVED
        and found.publishes
        and title.state is TitleState.READY
    ):
        states.publish(db, SYSTEM, title.slug, passes=_approved)


def _approved(db: Database, title: Title) -> None:
    """Let pass what was approved this moment."""


def _require_four_eyes(db: Database, actor: Actor, asset: Asset) -> None:
    if actor.account_id is None:
        raise Forbidden(
            "quality.four-eyes",
            "Two people are needed, and a command does not say who gives it: decide in"
            " the Studio.",
        )
    if actor.account_id in _who_brought(db, asset):
        raise Forbidden(
            "quality.four-eyes",
            "You brought this film in: somebody else must look at its quality.",
        )


def _who_brought(db: Database, asset: Asset) -> set[int]:
    """Return the accounts that made the title, uploaded the film, or had it made."""
    rows = db.rows(
        """
        select created_by as account from titles where id = :title
        union
        select account_id from uploads where asset_id = :asset
        union
        select events.actor_id from events
        join jobs on events.subject = 'job/' || jobs.public_id
        where events.name = 'job:create' and jobs.asset_id = :asset
            and jobs.kind in ('ingest', 'replace')
        """,
        {"title": asset.title_id, "asset": asset.id},
    )
    return {row["account"] for row in rows if row["account"] is not None}


def _require_reason(found: Report, decision: Review, comment: str) -> None:
    if decision is Review.NONE:
        raise InvalidInput("quality.decision", "Approve or reject: nothing else.")
    if len(comment) > _LONGEST_COMMENT:
        raise InvalidInput(
            "quality.comment",
            f"A comment has at most {_LONGEST_COMMENT:,} characters.",
            {"field": "comment"},
        )
    reason = decision is Review.REJECTED or found.verdict is Verdict.FAILED
    if reason and not comment:
        what = "reject a film" if decision is Review.REJECTED else "let it pass"
        raise InvalidInput(
            "quality.comment", f"Say why you {what}.", {"field": "comment"}
        )


def _decide(
    db: Database, actor: Actor, found: Report, decision: Review, comment: str
) -> None:
    db.conn.execute(
        """
        update qc_reports
        set review = ?, reviewer_id = ?, reviewer = ?, comment = ?, reviewed_at = ?,
            publishes = case when ? = 'approved' then 0 else publishes end
        where id = ?
        """,
        (
            decision.value,
            actor.account_id,
            actor.username,
            comment,
            db.now(),
            decision.value,
            found.id,
        ),
    )


def _worst(found: Report) -> str:
    failed = [each for each in found.checks if each["level"] == "fail"]
    first = failed[0] if failed else {"sentence": "see its report.", "track": ""}
    named = f"{first['track']}: " if first["track"] else ""
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{named}{first['sentence']}{more}"
