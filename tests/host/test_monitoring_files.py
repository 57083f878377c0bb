"""What is shipped for Prometheus and Grafana: whole, and about figures that exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import promtool
from web.monitoring.exposition import Kind
from web.monitoring.families import FAMILIES

FOLDER = promtool.ROOT / "ansible" / "files" / "monitoring"
RULES = FOLDER / "matinee.rules.yml"
DASHBOARD = FOLDER / "matinee-dashboard.json"
_NAME = re.compile(r"\bmatinee_\w+")
_RECORDED = re.compile(r"\bmatinee:\w+:\w+")
_WITH_LABELS = re.compile(r"(matinee_\w+)\{([^}]*)\}")


def figures() -> frozenset[str]:
    """Return every name that an expression may ask for."""
    more = (
        f"{name}_{end}"
        for name, family in FAMILIES.items()
        if family.kind is Kind.HISTOGRAM
        for end in ("bucket", "sum", "count")
    )
    return frozenset((*FAMILIES, *more))


def panels() -> Iterator[dict[str, object]]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        if panel["type"] != "row":
            yield panel


def expressions() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def test_prometheus_takes_the_rules() -> None:
    checked = promtool.run("check", "rules", RULES)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rules_alarm_when_they_should_and_not_before() -> None:
    tested = promtool.run(
        "test", "rules", Path(__file__).parent / "matinee.rules.test.yml"
    )

    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("path", [RULES, DASHBOARD], ids=lambda path: path.name)
def test_every_figure_that_is_named_exists(path: Path) -> None:
    text = path.read_text()

    assert set(_NAME.findall(text)) - figures() == set()
    assert len(set(_NAME.findall(text))) > 15
    recorded = set(re.findall(r"- record: (\S+)", RULES.read_text()))
    assert set(_RECORDED.findall(text)) <= recorded


@pytest.mark.parametrize("path", [RULES, DASHBOARD], ids=lambda path: path.name)
def test_every_label_that_is_asked_for_exists(path: Path) -> None:
    for name, asked in _WITH_LABELS.findall(path.read_text().replace('\\"', '"')):
        family = (
            FAMILIES.get(name) or FAMILIES[re.sub(r"_(bucket|sum|count)$", "", name)]
        )
        labels = set(re.findall(r"(\w+)\s*[=!]~?", asked))
        assert labels <= {*family.labels, "instance", "job"}, name


def test_what_is_told_is_also_shown_or_watched() -> None:
    named = set(_NAME.findall(RULES.read_text() + DASHBOARD.read_text()))
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named} | named

    assert set(FAMILIES) - shown == set()


def test_prometheus_takes_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"dashboard:{number}", "expr": each.replace("$instance", ".*")}
        for number, each in enumerate(expressions())
    ]
    group = {"groups": [{"name": "dashboard", "rules": rules}]}
    path = tmp_path / "dashboard.json"
    path.write_text(json.dumps(group))

    checked = promtool.run("check", "rules", "--lint=none", path)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert len(rules) > 30


def test_every_alert_says_what_to_do() -> None:
    text = RULES.read_text()
    alerts = text.count("- alert:")

    assert alerts > 20
    assert text.count("fix: ") == text.count("summary: ") == alerts
    severities = set(re.findall(r"severity: (\w+)", text))
    assert severities == {"warning", "critical"}


def test_no_panel_lies_over_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        assert isinstance(place, dict)
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
