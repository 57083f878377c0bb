"""What makes sense in the settings of the Studio and of uploads."""

from ipaddress import ip_network

from appliance.sections import Studio, Uploads


def of_studio(studio: Studio, uploads: Uploads) -> tuple[tuple[bool, str], ...]:
    """Return for each rule whether it is kept, and the sentence that says it."""
    return (
        (
            min(studio.trash_days, studio.undo_hours, uploads.url_hours) > 0,
            "studio.trash_days, studio.undo_hours and uploads.url_hours: > 0.",
        ),
        (
            min(studio.import_rows, studio.import_megabytes) > 0,
            "studio.import_rows and import_megabytes: > 0.",
        ),
        (
            all(map(_is_network, networks(uploads))),
            "uploads.url_networks must be networks as 10.2.0.0/16, commas between.",
        ),
    )


def networks(uploads: Uploads) -> tuple[str, ...]:
    """Return the networks that ``uploads.url_networks`` lists."""
    return tuple(filter(None, map(str.strip, uploads.url_networks.split(","))))


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True
