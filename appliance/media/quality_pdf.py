"""A quality report as a PDF: for whoever delivers a film, and for the file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fpdf import FPDF, XPos, YPos
from fpdf.fonts import FontFace

from appliance.catalog.titles import Title
from appliance.clock import from_text
from appliance.errors import PreconditionFailed
from appliance.media import quality_document as words
from appliance.media.assets import Asset
from appliance.media.quality import Report, Verdict
from appliance.media.quality_chart import Chart, chart

# Of fonts-dejavu-core: every letter of Europe, and signs that a sentence may hold.
_FONTS = Path("/usr/share/fonts/truetype/dejavu")
_FACES = (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf"))
_FONT = "DejaVu"
_Colour = tuple[int, int, int]
_INK, _QUIET, _RULE = (26, 28, 32), (96, 100, 108), (206, 208, 212)
_OF_VERDICT: dict[Verdict, _Colour] = {
    Verdict.PASSED: (22, 120, 72),
    Verdict.WARNED: (156, 98, 0),
    Verdict.FAILED: (176, 32, 40),
}
_OF_LEVEL: dict[str, _Colour] = {
    "pass": _OF_VERDICT[Verdict.PASSED],
    "warn": _OF_VERDICT[Verdict.WARNED],
    "fail": _OF_VERDICT[Verdict.FAILED],
}
_LINES: Sequence[_Colour] = (
    (20, 92, 160),
    (22, 120, 72),
    (156, 98, 0),
    (120, 60, 150),
    (176, 32, 40),
    (80, 84, 92),
)
_CHART_HEIGHT = 46.0


def render(title: Title, asset: Asset, found: Report) -> bytes:
    """Return the report as a PDF. Errors: ``PreconditionFailed`` without the font."""
    page = _Page(title.name)
    page.set_creation_date(from_text(found.created_at))
    page.set_title(f"Quality report of {title.name}")
    page.add_page()
    _head(page, title, asset, found)
    _checks(page, found)
    drawn = chart(found.report)
    if drawn is not None:
        _chart(page, drawn)
    _tracks(page, found)
    return bytes(page.output())


class _Page(FPDF):
    """A4 with the fonts, and a line at the foot of each page."""

    def __init__(self, name: str) -> None:
        super().__init__(format="A4")
        self._name = name
        for style, file in _FACES:
            if not (_FONTS / file).exists():
                raise PreconditionFailed(
                    "quality.font",
                    "The font of reports is missing: install the package"
                    " fonts-dejavu-core.",
                )
            self.add_font(_FONT, style, _FONTS / file)
        self.set_margins(16, 16)
        self.set_auto_page_break(True, 18)

    def footer(self) -> None:
        self.set_y(-14)
        self.write_line(
            f"{self._name} · quality report · page {self.page_no()}", 7, colour=_QUIET
        )

    def write_line(
        self, text: str, size: float, *, bold: bool = False, colour: _Colour = _INK
    ) -> None:
        """Write a paragraph."""
        self.set_font(_FONT, "B" if bold else "", size)
        self.set_text_color(*colour)
        self.multi_cell(
            0, size * 0.52, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def heading(self, text: str) -> None:
        self.ln(4)
        self.write_line(text, 11, bold=True)
        self.ln(1)


def _head(page: _Page, title: Title, asset: Asset, found: Report) -> None:
    page.write_line("Quality report", 9, colour=_QUIET)
    page.write_line(title.name, 17, bold=True)
    page.ln(1.5)
    page.write_line(
        words.VERDICTS[found.verdict],
        12,
        bold=True,
        colour=_OF_VERDICT[found.verdict],
    )
    page.write_line(words.decision(found), 9)
    page.ln(1.5)
    at = from_text(found.created_at)
    facts = [
        f"Version {found.version} of asset {asset.public_id}",
        f"Source: {asset.source_name}",
        f"Checked: {at.day} {at:%b %Y, %H:%M} UTC",
        f"Frames: {found.report.get('frames', 0):,}",
        f"Segments: {found.report.get('segments', 0):,}",
    ]
    page.write_line(" · ".join(facts), 8, colour=_QUIET)


def _checks(page: _Page, found: Report) -> None:
    page.heading("Checks")
    rows = [
        (
            words.LEVELS[each["level"]],
            words.name_of(each) + (f"\n{each['track']}" if each["track"] else ""),
            each["sentence"],
        )
        for each in found.checks
    ]
    colours = [_OF_LEVEL[each["level"]] for each in found.checks]
    _table(page, ("", "Check", "What was found"), rows, (18, 36, 124), colours)


def _tracks(page: _Page, found: Report) -> None:
    if page.will_page_break(34):
        page.add_page()
    page.heading("Tracks")
    rows = [
        (each["name"], " · ".join(words.figures(each)))
        for each in found.report.get("tracks", [])
    ]
    _table(page, ("Track", "Figures"), rows, (36, 142))


def _table(
    page: _Page,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: tuple[int, ...],
    colours: Sequence[_Colour] = (),
) -> None:
    page.set_font(_FONT, "", 8)
    page.set_text_color(*_INK)
    page.set_draw_color(*_RULE)
    with page.table(
        col_widths=widths,
        line_height=4.4,
        text_align="LEFT",
        borders_layout="HORIZONTAL_LINES",
        headings_style=FontFace(emphasis="BOLD", color=_QUIET),
        padding=(0.8, 1),
    ) as table:
        table.row(list(head))
        for number, row in enumerate(rows):
            line = table.row()
            for column, cell in enumerate(row):
                marked = column == 0 and colours
                style = (
                    FontFace(emphasis="BOLD", color=colours[number]) if marked else None
                )
                line.cell(cell, style=style)


def _chart(page: _Page, drawn: Chart) -> None:
    if page.will_page_break(_CHART_HEIGHT + 24):
        page.add_page()
    page.heading(f"{drawn.measure} of each rendition over the film")
    left, top = page.l_margin + 10, page.get_y() + 1
    width = page.epw - 46
    page.set_font(_FONT, "", 7)
    page.set_line_width(0.1)
    for text, height in drawn.marks:
        y = top + _CHART_HEIGHT * (1 - height)
        page.set_draw_color(*_RULE)
        page.line(left, y, left + width, y)
        page.set_text_color(*_QUIET)
        page.text(page.l_margin, y + 1, text)
    for number, line in enumerate(drawn.lines):
        page.set_draw_color(*_LINES[number % len(_LINES)])
        page.set_fill_color(*_LINES[number % len(_LINES)])
        points: list[Any] = [
            (left + x * width, top + _CHART_HEIGHT * (1 - y)) for x, y in line.points
        ]
        page.set_line_width(0.5)
        if len(points) > 1:
            page.polyline(points)
        for x, y in points:
            page.circle(x, y, 0.8, style="F")
        y = top + 3 + number * 4.6
        page.circle(left + width + 4, y - 1, 1.1, style="F")
        page.set_text_color(*_INK)
        shown = f"{line.mean:.1f}" if drawn.measure == "VMAF" else f"{line.mean:.3f}"
        page.text(left + width + 7, y, f"{line.name}  {shown}")
    page.set_y(top + _CHART_HEIGHT + 3)
