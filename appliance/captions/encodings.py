"""From bytes to text: by what the file says of itself, else by its language."""

import codecs
import re
from collections.abc import Iterator, Mapping

from appliance.errors import InvalidInput

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What files in these languages were written in before Unicode. Guessing by the bytes
# is often wrong for a few hundred of them; whoever brings captions says the language.
_BEFORE_UNICODE: Mapping[str, tuple[str, ...]] = {
    "cp1250": ("bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl", "sq"),
    "cp1251": ("be", "bg", "kk", "mk", "mn", "ru", "sr", "uk"),
    "cp1253": ("el",),
    "cp1254": ("az", "tr"),
    "cp1255": ("he", "yi"),
    "cp1256": ("ar", "fa", "ur"),
    "cp1257": ("et", "lt", "lv"),
    "cp1258": ("vi",),
    "cp874": ("th",),
    "cp932": ("ja",),
    "cp949": ("ko",),
    "gb18030": ("zh",),
}
_OTHERWISE = "cp1252"
# Letters of the Latin alphabet are in all of them: a text in another needs its own.
_OWN_LETTERS: Mapping[str, str] = {
    "cp1251": r"[\u0400-\u04ff]",
    "cp1253": r"[\u0370-\u03ff]",
    "cp1255": r"[\u0590-\u05ff]",
    "cp1256": r"[\u0600-\u06ff]",
    "cp874": r"[\u0e00-\u0e7f]",
    "cp932": r"[\u3040-\u30ff\u4e00-\u9fff]",
    "cp949": r"[\uac00-\ud7af]",
    "gb18030": r"[\u4e00-\u9fff]",
}
_NO_TEXT = re.compile(r"[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_MOST_NO_TEXT = 0.001


def decode(data: bytes, language: str = "", encoding: str = "") -> str:
    """Return the text of a file; ``encoding`` is what somebody knows it to be.

    Errors: ``InvalidInput`` with ``captions.encoding`` or ``captions.binary``.
    """
    if encoding:
        return _as_told(data, encoding)
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], name)
    for name in _likely(data, language):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        own = _OWN_LETTERS.get(name)
        if _is_text(text) and (own is None or re.search(own, text)):
            return text
    if b"\0" in data:
        raise _binary()
    raise _unknown(language)


def _likely(data: bytes, language: str) -> Iterator[str]:
    # Text in UTF-16 has a zero in every other byte wherever it is Latin or a number.
    if data[1:512:2].count(0) > len(data[:512]) // 5:
        yield "utf-16-le"
    if data[:512:2].count(0) > len(data[:512]) // 5:
        yield "utf-16-be"
    yield "utf-8"
    head = language.lower().split("-")[0]
    of_language = [name for name, of in _BEFORE_UNICODE.items() if head in of]
    yield from of_language or [_OTHERWISE]


def _as_told(data: bytes, encoding: str) -> str:
    try:
        codecs.lookup(encoding)
        text = data.decode(encoding)
    except LookupError as error:
        raise InvalidInput(
            "captions.encoding",
            f"There is no encoding “{encoding[:40]}”: UTF-8 is usual, others are such"
            " as cp1252, cp1251 or gb18030.",
            {"field": "encoding"},
        ) from error
    except (UnicodeError, ValueError) as error:
        raise InvalidInput(
            "captions.encoding",
            f"This file is not written in {encoding}: leave the encoding open, or save"
            " it as UTF-8.",
            {"field": "encoding"},
        ) from error
    if not isinstance(text, str) or not _is_text(text):
        raise _binary()
    return text.removeprefix("\ufeff")


def _strictly(data: bytes, name: str) -> str:
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "captions.encoding",
            f"This file says that it is {name.upper()}, and is not: save it as UTF-8.",
            {"field": "file"},
        ) from error
    if not _is_text(text):
        raise _binary()
    return text


def _is_text(text: str) -> bool:
    return len(_NO_TEXT.findall(text)) <= len(text) * _MOST_NO_TEXT


def _binary() -> InvalidInput:
    return InvalidInput(
        "captions.binary",
        "This file is not text: captions come as SRT, WebVTT, ASS or TTML.",
        {"field": "file"},
    )


def _unknown(language: str) -> InvalidInput:
    return InvalidInput(
        "captions.encoding",
        "This file is not written in Unicode, nor in what was usual for"
        f" “{language or 'und'}” before: save it as UTF-8, or say its encoding.",
        {"field": "encoding"},
    )
