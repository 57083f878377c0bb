"""Looks with one check of the doctor, and says what came of it."""

from appliance.checks import Examined, Finding, Level, examine


def look(check_id: str, examined: Examined) -> Finding:
    """Return what one check finds."""
    (finding,) = examine(examined, only=[check_id])
    return finding


def well(check_id: str, examined: Examined) -> Finding:
    """Return what a check finds where nothing is wrong."""
    finding = look(check_id, examined)
    assert finding.level is Level.OK, finding
    return finding


def unwell(check_id: str, examined: Examined, level: Level | None = None) -> Finding:
    """Return what a check finds where something was broken on purpose.

    Each check needs a test that sees it so: another test sees to that
    (tests/checks/test_frame.py).
    """
    finding = look(check_id, examined)
    assert finding.level is not Level.OK, finding
    assert level in (None, finding.level), finding
    assert finding.fix, finding
    return finding
