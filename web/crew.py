"""What people do for a title, in words."""

from collections.abc import Mapping

from flask_babel import LazyString, gettext, lazy_gettext

from appliance.catalog.credits import Job

WORDS: Mapping[str, LazyString] = {
    Job.ACTOR: lazy_gettext("Actor"),
    Job.DIRECTOR: lazy_gettext("Director"),
    Job.CREATOR: lazy_gettext("Creator"),
    Job.WRITER: lazy_gettext("Writer"),
    Job.PRODUCER: lazy_gettext("Producer"),
    Job.COMPOSER: lazy_gettext("Composer"),
    Job.CINEMATOGRAPHER: lazy_gettext("Cinematographer"),
    Job.EDITOR: lazy_gettext("Editor"),
    Job.PRESENTER: lazy_gettext("Presenter"),
    Job.NARRATOR: lazy_gettext("Narrator"),
    Job.SPEAKER: lazy_gettext("Speaker"),
    Job.TRAINER: lazy_gettext("Trainer"),
    Job.GUEST: lazy_gettext("Guest"),
}


def word(job: str) -> str:
    return str(WORDS.get(job) or gettext("Other"))


def initials(name: str) -> str:
    """Return what stands in place of a portrait: “AB” for Ada Byron."""
    words = name.split()
    return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()
