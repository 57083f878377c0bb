"""Files of captions: what people have, what is broken in it, what is hidden in it."""

import time
from pathlib import Path

import pytest

from appliance.captions import markup, reading, times, writing
from appliance.captions.cues import Captions, Cue
from appliance.errors import InvalidInput

HELLO = [(1000, 2500, "Hello"), (4000, 5250, "Good morning\nto you")]

SRT = """1
00:00:01,000 --> 00:00:02,500
Hello

2
00:00:04,000 --> 00:00:05,250
Good morning
to you
"""
VTT = """WEBVTT - with a heading

NOTE nobody sees this

00:01.000 --> 00:02.500
Hello

second
00:00:04.000 --> 00:00:05.250
Good morning
to you
"""
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, Bold, Italic, Underline, Alignment
Style: Default,Arial,20,0,0,0,2

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:04.00,0:00:05.25,Default,,0,0,0,,Good morning\\Nto you
Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\pos(10,10)}Hello
Comment: 0,0:00:09.00,0:00:10.00,Default,,0,0,0,,not shown
"""
TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en"><body><div>
  <p begin="00:00:01.000" end="00:00:02.500">Hello</p>
  <p begin="4s" dur="1250ms">Good morning<br/>to you</p>
</div></body></tt>
"""


def _cues(captions: Captions) -> list[tuple[int, int, str]]:
    return [(cue.start, cue.end, cue.text) for cue in captions.cues]


def _read(text: str) -> Captions:
    return reading.read(text.encode()).captions


@pytest.mark.parametrize(
    ("format", "text"), [("srt", SRT), ("vtt", VTT), ("ass", ASS), ("ttml", TTML)]
)
def test_every_format_gives_the_same_cues(format: str, text: str) -> None:
    read = reading.read(text.encode())

    assert read.format == format
    assert _cues(read.captions) == HELLO
    assert read.remarks == ()


@pytest.mark.parametrize("text", [SRT, VTT, ASS, TTML])
@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_unicode_is_recognised_however_it_is_written(text: str, encoding: str) -> None:
    assert _cues(reading.read(text.encode(encoding)).captions) == HELLO


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_lines_may_end_as_on_any_machine(ends: str) -> None:
    assert _cues(_read(SRT.replace("\n", ends))) == HELLO


@pytest.mark.parametrize(
    ("language", "encoding", "said"),
    [
        ("fr", "cp1252", "Où êtes-vous allé cet été ?"),
        ("pl", "cp1250", "Zażółć gęślą jaźń"),
        ("ru", "cp1251", "Привет, как дела"),
        ("el", "cp1253", "Καλημέρα"),
        ("tr", "cp1254", "İyi günler, şimdi"),
        ("he", "cp1255", "שלום לכם"),
        ("ar", "cp1256", "صباح الخير"),
        ("ja-JP", "cp932", "これは字幕です"),
        ("ko", "cp949", "안녕하세요"),
        ("zh-Hans", "gb18030", "这是字幕"),
    ],
)
def test_older_encodings_are_known_by_the_language(
    language: str, encoding: str, said: str
) -> None:
    data = f"1\n00:00:01,000 --> 00:00:02,000\n{said}\n".encode(encoding)

    read = reading.read(data, language)

    assert read.captions.cues[0].text == said


def test_whoever_knows_the_encoding_is_believed() -> None:
    data = "1\n00:00:01,000 --> 00:00:02,000\nПривет\n".encode("koi8-r")

    assert reading.read(data, "ru", "koi8-r").captions.cues[0].text == "Привет"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "captions.empty"),
        (b" \n ", "captions.empty"),
        (b"\x00\x01\x02\x03" * 200, "captions.binary"),
        (Path("/bin/true").read_bytes(), "captions.binary"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "captions.binary"),
        (b"PK\x03\x04" + bytes(range(256)) * 20, "captions.binary"),
        (b"\xff\xfeW\x00E", "captions.encoding"),
        (b"only words", "captions.format"),
        (b"<html><body>Not found</body></html>", "captions.format"),
        (b"WEBVTT\n\n", "captions.no-cues"),
        (b"1\nxx --> yy\nHello\n --> \n", "captions.no-cues"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n<script>x()</script>", "captions.no-cues"),
        (b"00:01,0 --> 00:02,0\na\n" * 20_001, "captions.too-many"),
        (
            b"1\n00:00:01,000 --> 00:00:02,000\n" + b"a" * 10_000_000,
            "captions.too-large",
        ),
        (b"<tt><body><p begin='1s' end='2s'>a</body></tt>", "captions.broken"),
        (b"<!DOCTYPE tt [<!ENTITY a 'aaaa'>]><tt>&a;</tt>", "captions.broken"),
    ],
)
def test_what_is_no_captions_is_refused_in_a_sentence(data: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        reading.read(data, "en")

    assert refused.value.code == code
    assert refused.value.details["field"] in ("file", "encoding")


def test_broken_cues_are_mended_or_left_out_with_their_line() -> None:
    read = reading.read(
        b"\n".join(
            [
                b"1",
                b"0:3,5 -> 0:05,000",
                b"No hours,",
                b"",
                b"and a blank line",
                b"2",
                b"00:00:09,000 --> 00:00:08,000",
                b"Back in time",
                b"3",
                b"00:75:00,000 --> 00:76:00,000",
                b"Seventy-five minutes",
                b"4",
                b"00:00:06.000-->00:00:07.000",
                b"Earlier, and without a blank line after it",
                b"5",
                b"00:00:10,000 --> 999:00:00,000",
                b"For ever",
            ]
        )
    )

    assert _cues(read.captions) == [
        (3500, 5000, "No hours,\nand a blank line"),
        (6000, 7000, "Earlier, and without a blank line after it"),
        (9000, 10000, "Back in time"),
    ]
    assert [remark.line for remark in read.remarks] == [7, 10, 16]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<i>Hello</i> <b>you", "<i>Hello</i> <b>you</b>"),
        ("<b><i>crossed</b></i>", "<b><i>crossed</i></b>"),
        ("<em>Hello</em>", "<i>Hello</i>"),
        ("<font color='red'>Hello</font>", "Hello"),
        ("<v.loud Mary Ann>Hello", "<v.loud Mary Ann>Hello</v>"),
        ("<c.yellow.bg_blue>Hello</c>", "<c.yellow.bg_blue>Hello</c>"),
        ("<00:00:01.500>Hello", "Hello"),
        ("3 < 4 & 5 > 4", "3 &lt; 4 &amp; 5 &gt; 4"),
        ("&lt;script&gt;x&lt;/script&gt;", "&lt;script&gt;x&lt;/script&gt;"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<SCRIPT src=x>alert(1)", "a"),
        ("<scr<script>ipt>x</script>", "&lt;scr"),
        ("<img src=x onerror=alert(1)>Hello", "Hello"),
        ("<i onclick=alert(1)>Hello</i>", "<i>Hello</i>"),
        ("<v <img src=x>>Hello", "&lt;v &gt;Hello"),
        ("<!-- x -->Hello<?php y ?>", "Hello"),
        ("one<br/>two\\Nthree", "one\ntwo\nthree"),
        ("one --> two", "one --&gt; two"),
        ("{\\an8}{\\fad(1,2)}up", "up"),
        ("\u202eturned\u202c \x07bell", "turned bell"),
        ("<i></i> ", ""),
    ],
)
def test_the_text_of_a_cue_is_made_harmless(written: str, kept: str) -> None:
    assert markup.clean(written) == kept
    assert markup.clean(kept) == kept


def test_webvtt_keeps_where_cues_stand_but_no_style_sheet() -> None:
    read = reading.read(
        b"WEBVTT\n\nSTYLE\n::cue { background: url(https://spy.example/) }\n\n"
        b"REGION\nid:fred\nwidth:40%\nlines:3\nonload:x\nviewportanchor:10%,90%\n\n"
        b"00:01.000 --> 00:02.000 line:0 position:20%,line-left align:start"
        b" region:fred size:50% onclick:x line:abc\nUp\n\n"
        b"00:03.000 --> 00:04.000 region:nobody\nDown\n"
    )

    text = writing.webvtt(read.captions)

    assert read.captions.regions == (
        "id:fred\nwidth:40%\nlines:3\nviewportanchor:10%,90%",
    )
    assert [cue.settings for cue in read.captions.cues] == [
        "line:0 position:20%,line-left align:start region:fred size:50%",
        "",
    ]
    assert "spy" not in text
    assert "click" not in text
    assert [remark.sentence for remark in read.remarks] == [
        "A style sheet is left out."
    ]


def test_ass_keeps_what_is_slanted_and_what_is_at_the_top() -> None:
    text = ASS.replace(
        "{\\pos(10,10)}Hello", "{\\an8\\i1}Hello{\\i0} {\\b1}you{\\p1}m 0 0 l 9 9{\\p0}"
    )

    first = _read(text).cues[0]

    assert (first.text, first.settings) == ("<i>Hello</i> <b>you</b>", "line:0")


def test_ttml_times_are_read_in_every_form() -> None:
    text = (
        '<tt xmlns="http://www.w3.org/ns/ttml"'
        ' xmlns:p="http://www.w3.org/ns/ttml#parameter"'
        ' xmlns:s="http://www.w3.org/ns/ttml#styling"'
        ' p:frameRate="25" p:tickRate="10000000"><head>'
        '<styling><style xml:id="i" s:fontStyle="italic"/></styling>'
        '<layout><region xml:id="up" s:origin="10% 10%"/></layout></head>'
        '<body begin="10s"><div>'
        '<p begin="00:00:01:05" end="00:00:02:00" region="up">frames</p>'
        '<p begin="30000000t" end="40000000t">ticks</p>'
        '<p begin="125f" dur="25f"><span style="i">dressed</span> &lt;x&gt;</p>'
        '<p begin="1m"><span begin="0s" end="1s">one</span>'
        '<span begin="1s" end="2s">two</span></p>'
        '<p begin="soon" end="later">never</p></div></body></tt>'
    )

    read = reading.read(text.encode())

    assert _cues(read.captions) == [
        (11200, 12000, "frames"),
        (13000, 14000, "ticks"),
        (15000, 16000, "<i>dressed</i> &lt;x&gt;"),
        (70000, 71000, "one"),
        (71000, 72000, "two"),
    ]
    assert read.captions.cues[0].settings == "line:0"
    assert len(read.remarks) == 1


@pytest.mark.parametrize("text", [SRT, VTT, ASS, TTML])
def test_what_is_written_reads_the_same_again(text: str) -> None:
    captions = _read(text)
    doubtful = Cue(9000, 9900, "<i>Who?</i>\nHim &amp; her", "line:0", unsure=True)
    captions = Captions((*captions.cues, doubtful))

    written = writing.webvtt(captions)

    assert reading.stored(written) == captions
    assert writing.webvtt(reading.stored(written)) == written
    assert _cues(_read(writing.subrip(captions))) == _cues(captions)


@pytest.mark.parametrize(
    "data",
    [
        b"1\n00:00:01,000 --> 00:00:02,000\n" + b"<" * 4_000_000,
        b"1\n00:00:01,000 --> 00:00:02,000\n" + b"<i>" * 1_300_000,
        b"1\n00:00:01,000 --> 00:00:02,000\n" + b"a\n" * 2_000_000,
        b"WEBVTT\n\n" + b"REGION\n" * 500_000,
        b"[Script Info]\nDialogue: 0,0:00:01.00,0:00:02.50,," + b"{\\i1}" * 800_000,
        b"<tt>" + b"<p>" * 1_000_000,
        b"00:00:01,000 --> 00:00:02,000\n" + b"<script>" * 500_000,
        b"-->" * 1_300_000,
        b"&#60;" * 800_000 + b"00:00:01,000 --> 00:00:02,000\n&#60;",
    ],
)
def test_no_file_keeps_the_reader_busy(data: bytes) -> None:
    begun = time.monotonic()
    try:
        read = reading.read(data)
    except InvalidInput:
        pass
    else:
        assert all(len(cue.text) < 20_000 for cue in read.captions.cues)

    assert time.monotonic() - begun < 5


def test_times_are_shifted_and_stretched() -> None:
    captions = Captions((Cue(1000, 2000, "a"), Cue(60_000, 62_000, "b")))

    later = times.moved(captions, 1500)
    faster = times.moved(captions, 0, times.factor("25/23.976"))
    earlier = times.moved(captions, -1500)

    assert _cues(later) == [(2500, 3500, "a"), (61_500, 63_500, "b")]
    assert _cues(faster) == [(1043, 2085, "a"), (62_563, 64_648, "b")]
    assert _cues(earlier) == [(0, 500, "a"), (58_500, 60_500, "b")]


@pytest.mark.parametrize(
    ("milliseconds", "factor", "code"),
    [
        (-70_000, 1, "captions.shift"),
        (10**9, 1, "captions.shift"),
        (0, 0, "captions.factor"),
        (0, 3, "captions.factor"),
        (0, float("nan"), "captions.factor"),
    ],
)
def test_a_shift_that_leaves_nothing_is_refused(
    milliseconds: int, factor: float, code: str
) -> None:
    captions = Captions((Cue(1000, 2000, "a"), Cue(60_000, 62_000, "b")))

    with pytest.raises(InvalidInput) as refused:
        times.moved(captions, milliseconds, factor)

    assert refused.value.code == code


@pytest.mark.parametrize("text", ["", "x", "1/0", "25/", "1e999/1e999", "/"])
def test_a_factor_is_a_number_or_two_rates(text: str) -> None:
    if text == "25/":
        assert times.factor(text) == 25
        return
    with pytest.raises(InvalidInput):
        times.moved(Captions((Cue(1000, 2000, "a"),)), 0, times.factor(text))
