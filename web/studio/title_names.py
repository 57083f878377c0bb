"""Titles as people write them into a field: a line for each, its slug first."""


def slugs_of(text: str) -> list[str]:
    """Return the slugs that a field names; what stands behind one is for people.

    The address of a title does as well.
    """
    firsts = (line.split()[0] for line in text.splitlines() if line.strip())
    return [each.rstrip("/").rsplit("/", 1)[-1] for each in firsts]
