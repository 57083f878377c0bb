"""Languages: what files call them, what the web calls them, what people call them."""

UNKNOWN = "und"

_LANGUAGES = (
    ("ar", ("ara",), "العربية"),
    ("bg", ("bul",), "Български"),
    ("ca", ("cat",), "Català"),
    ("cs", ("ces", "cze"), "Čeština"),
    ("da", ("dan",), "Dansk"),
    ("de", ("deu", "ger"), "Deutsch"),
    ("el", ("ell", "gre"), "Ελληνικά"),
    ("en", ("eng",), "English"),
    ("es", ("spa",), "Español"),
    ("et", ("est",), "Eesti"),
    ("fa", ("fas", "per"), "فارسی"),
    ("fi", ("fin",), "Suomi"),
    ("fr", ("fra", "fre"), "Français"),
    ("he", ("heb",), "עברית"),
    ("hi", ("hin",), "हिन्दी"),
    ("hr", ("hrv",), "Hrvatski"),
    ("hu", ("hun",), "Magyar"),
    ("id", ("ind",), "Bahasa Indonesia"),
    ("it", ("ita",), "Italiano"),
    ("ja", ("jpn",), "日本語"),
    ("ko", ("kor",), "한국어"),
    ("lt", ("lit",), "Lietuvių"),
    ("lv", ("lav",), "Latviešu"),
    ("nl", ("nld", "dut"), "Nederlands"),
    ("no", ("nor", "nob", "nno"), "Norsk"),
    ("pl", ("pol",), "Polski"),
    ("pt", ("por",), "Português"),
    ("ro", ("ron", "rum"), "Română"),
    ("ru", ("rus",), "Русский"),
    ("sk", ("slk", "slo"), "Slovenčina"),
    ("sl", ("slv",), "Slovenščina"),
    ("sr", ("srp",), "Српски"),
    ("sv", ("swe",), "Svenska"),
    ("th", ("tha",), "ไทย"),
    ("tr", ("tur",), "Türkçe"),
    ("uk", ("ukr",), "Українська"),
    ("vi", ("vie",), "Tiếng Việt"),
    ("zh", ("zho", "chi"), "中文"),
)
_TAGS = {name: tag for tag, names, _ in _LANGUAGES for name in (tag, *names)}
_NAMES = {tag: name for tag, _, name in _LANGUAGES}


def tag(written: str) -> str:
    """Return the tag for manifests (BCP 47) of what a file calls a language."""
    head = written.strip().lower().replace("_", "-").split("-")[0]
    if head in _TAGS:
        return _TAGS[head]
    return head if head.isascii() and head.isalpha() and len(head) == 3 else UNKNOWN


def name(tag: str) -> str:
    """Return a language's own name, for menus; the tag itself when it is not known."""
    return _NAMES.get(tag, "" if tag == UNKNOWN else tag)
