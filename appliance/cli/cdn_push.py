"""``matinee cdn push``: films put into the bucket that a CDN fetches from."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.cli.output import sized
from appliance.delivery.cdn import pushing
from appliance.delivery.cdn.pushing import Push, Pushed
from appliance.errors import InvalidInput
from appliance.objects import Stores


@click.command()
@click.argument("slugs", metavar="TITLE...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Push every published title.")
@click.option("--verify", is_flag=True, help="Read what is there too, and compare it.")
@click.option(
    "--prune", is_flag=True, help="Remove from there what is of no published title."
)
@click.option("--yes", is_flag=True, help="Do not ask before removing.")
@pass_installation
def push(
    installation: Installation,
    slugs: tuple[str, ...],
    everything: bool,
    verify: bool,
    prune: bool,
    yes: bool,
) -> None:
    """Put films into the bucket that a CDN fetches from.

    TITLE... are slugs. CDNs fetch what they are asked for from here; nothing needs
    this. It is for films that shall be there beforehand, or where the line from here is
    thin. Pictures, sound and subtitles are copied to objects.bucket under the path that
    CDNs ask for, without any token; manifests, keys and licences always come from here.
    Saying it again copies only what is not there. How the CDN is told: matinee cdn
    setup NAME.

    \b
    matinee cdn push the-first-film
    matinee cdn push --all --prune --yes      (each night)
    """
    if everything == bool(slugs) and (everything or not prune):
        raise InvalidInput("cdn.push", "Name titles, or say --all, or --prune alone.")
    out, actor = installation.out, installation.actor
    stores = Stores(installation.storage, installation.settings)
    with installation.db() as db:
        done = _done(installation, Push(db, stores, actor, verify), slugs, everything)
        old = pushing.stale(db, stores, actor)
    if old and prune:
        out.confirm(f"Remove {len(old)} folders of no published title there?", yes)
        pushing.prune(stores, actor, list(old))
    out.result(
        {
            "to": stores.objects.name,
            "titles": [dataclasses.asdict(each) for each in done],
            "stale": old,
            "pruned": prune,
        },
        "\n".join(_told(done, old, pruned=prune)),
    )


def _done(
    installation: Installation, push: Push, slugs: Iterable[str], everything: bool
) -> list[Pushed]:
    with installation.out.progress() as bars:
        task = bars.add_task("", total=None)
        push.see = lambda size: bars.advance(task, size)
        done = []
        for each in push.everything() if everything else map(push.title, slugs):
            done.append(each)
            bars.update(task, description=each.title)
        return done


def _told(done: list[Pushed], old: Mapping[str, int], *, pruned: bool) -> Iterator[str]:
    for each in done:
        new = f"{each.files} files with {sized(each.bytes)} are new there"
        yield f"{each.title}: {new if each.files else 'all of it was there'}."
        if each.left_out:
            yield (
                f"{each.title}: {each.left_out} tracks are packaged by nginx when they"
                " are asked for (origin.mode = vod), and stay here."
            )
    if old:
        total = sized(sum(old.values()))
        then = "they are removed" if pruned else "--prune removes them"
        yield f"{len(old)} folders with {total} are of no published title: {then}."
    elif not done:
        yield "There is nothing to remove."
