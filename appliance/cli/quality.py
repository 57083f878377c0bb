"""``matinee quality``: what was found of films, and who lets them pass."""

import dataclasses
from pathlib import Path

import click

from appliance.cli import output, watching
from appliance.cli.installation import Installation, pass_installation
from appliance.errors import NotFound
from appliance.media import quality as reports
from appliance.media import quality_document as words
from appliance.media import quality_pdf, reviews
from appliance.media.quality import Report, Review, Verdict
from jobs.making import recheck

_DECIDED = {
    Review.APPROVED: "Approved",
    Review.REJECTED: "Rejected",
}


@click.group()
def quality() -> None:
    """See the quality reports of films, check them again, and let them pass or not.

    \b
    matinee quality list --review none
    matinee quality show big-buck-bunny
    matinee quality approve big-buck-bunny --comment "The black scene is meant."
    """


@quality.command("list")
@click.option(
    "--verdict",
    type=click.Choice([each.value for each in Verdict]),
    help="Only reports with this verdict.",
)
@click.option(
    "--review",
    type=click.Choice([each.value for each in Review]),
    help="Only those that were decided so; none: those that nobody has decided on.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=100,
    show_default=True,
    help="At most so many reports.",
)
@pass_installation
def listing(
    installation: Installation, verdict: str | None, review: str | None, limit: int
) -> None:
    """List the reports of what is served, the newest first."""
    with installation.db() as db:
        found = reports.listing(
            db,
            installation.actor,
            verdict=Verdict(verdict) if verdict else None,
            review=Review(review) if review else None,
            limit=limit,
        )
    installation.out.table(
        ("Title", "Version", "Verdict", "Failed", "Warnings", "Review"),
        [
            (
                each.title_slug,
                each.version,
                each.verdict,
                each.failed,
                each.warned,
                each.review,
            )
            for each in found
        ],
        [dataclasses.asdict(each) for each in found],
        empty="There are no quality reports.",
    )


@quality.command()
@click.argument("slug")
@pass_installation
def show(installation: Installation, slug: str) -> None:
    """Show what was found of the film of the title SLUG."""
    with installation.db() as db:
        title, asset, found = reports.of_title(db, installation.actor, slug)
    installation.out.result(words.document(title, asset, found), _text(found))


@quality.command()
@click.argument("slug")
@click.option("--wait", is_flag=True, help="Wait for the report; fail if it did.")
@pass_installation
def check(installation: Installation, slug: str, wait: bool) -> None:
    """Check the film of the title SLUG again, as it is served now."""
    with installation.db() as db:
        job = recheck.start(db, installation.settings, installation.actor, slug)
    if not wait:
        document = {"title": slug, "job": job.public_id}
        installation.out.result(document, f"{slug} is being checked: {job.public_id}")
        return
    watching.follow(installation, job.public_id)
    with installation.db() as db:
        title, asset, found = reports.of_title(db, installation.actor, slug)
    installation.out.result(words.document(title, asset, found), _text(found))


@quality.command()
@click.argument("slug")
@click.option("--comment", default="", help="Why; where checks failed it is needed.")
@pass_installation
def approve(installation: Installation, slug: str, comment: str) -> None:
    """Let the film of the title SLUG pass; publish it where that was wished."""
    _decide(installation, slug, Review.APPROVED, comment)


@quality.command()
@click.argument("slug")
@click.option("--comment", required=True, help="Why it does not pass.")
@pass_installation
def reject(installation: Installation, slug: str, comment: str) -> None:
    """Do not let the film of the title SLUG pass; it leaves the portal."""
    _decide(installation, slug, Review.REJECTED, comment)


@quality.command()
@click.argument("slug")
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write.",
)
@pass_installation
def pdf(installation: Installation, slug: str, target: Path) -> None:
    """Write the report of the title SLUG as a PDF."""
    with installation.db() as db:
        title, asset, found = reports.of_title(db, installation.actor, slug)
    if not target.parent.is_dir():
        raise NotFound("quality.folder", f"There is no folder {target.parent}.")
    data = quality_pdf.render(title, asset, found)
    target.write_bytes(data)
    document = {"title": slug, "file": str(target), "bytes": len(data)}
    installation.out.result(document, f"{target} is written.")


def _decide(
    installation: Installation, slug: str, decision: Review, comment: str
) -> None:
    with installation.db() as db:
        title, asset, found = reports.of_title(db, installation.actor, slug)
        decided = reviews.review(
            db,
            installation.settings,
            installation.actor,
            asset,
            found.version,
            decision,
            comment,
        )
    text = f"{_DECIDED[decision]}: version {found.version} of {slug}."
    installation.out.result(words.document(title, asset, decided), text)


def _text(found: Report) -> str:
    head = {
        "Verdict": words.VERDICTS[found.verdict],
        "Review": words.decision(found),
        "Version": found.version,
        "Checked": found.created_at,
    }
    width = max((len(words.name_of(each)) for each in found.checks), default=0)
    checks = [
        f"  {words.LEVELS[each['level']]:<8}{words.name_of(each):<{width + 2}}"
        + (f"{each['track']}: " if each["track"] else "")
        + str(each["sentence"])
        for each in found.checks
    ]
    tracks = [
        f"  {each['name']:<16}{' · '.join(words.figures(each))}"
        for each in found.report.get("tracks", [])
    ]
    return "\n\n".join([output.pairs(head), "\n".join(checks), "\n".join(tracks)])
