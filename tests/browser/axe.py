"""What axe-core finds wrong with a page as it stands."""

from pathlib import Path
from typing import Any

from tests.browser.visitor import Visitor

_AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


def violations(visitor: Visitor) -> list[Any]:
    """Return every violation of WCAG 2.2 AA and best practice, with its elements."""
    visitor.page.evaluate(_AXE.read_text(encoding="utf-8"))
    found: list[Any] = visitor.page.evaluate(
        """async () => (await axe.run(document, {
            runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
                "best-practice"],
        })).violations.map((each) => [each.id, each.nodes.map((node) =>
            [node.html.slice(0, 160), node.failureSummary])])"""
    )
    return found
