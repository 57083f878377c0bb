"""CPIX documents: what we ask for, and what we accept as an answer."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from uuid import UUID

import pytest
from lxml import etree

from appliance.cenc import KeySystem, Label, Scheme
from appliance.errors import ConfigError, PreconditionFailed
from appliance.protection import cpix, cpix_answer, cpix_sealed
from appliance.protection.cpix import Contract
from tests.doubles import speke_service
from tests.doubles.certificates import certified
from tests.doubles.speke_service import CPIX, ENC, PSKC

CONTENT = "5f2d9a0b1c3e4d5f-1"
LABELS = (Label.AUDIO, Label.SD, Label.HD, Label.UHD)
SYSTEMS = (KeySystem.WIDEVINE, KeySystem.PLAYREADY, KeySystem.FAIRPLAY)
ALL_SYSTEMS = (KeySystem.CLEARKEY, *SYSTEMS)


def wanted(scheme: Scheme = Scheme.CBCS) -> Contract:
    return cpix.contract(CONTENT, LABELS, scheme, ALL_SYSTEMS)


def test_the_question_has_a_blank_for_everything_we_need() -> None:
    asked = wanted()

    root = etree.fromstring(cpix.request(asked))

    assert (root.tag, root.get("version")) == (f"{CPIX}CPIX", "2.3")
    assert (root.get("contentId"), root.get("id")) == (CONTENT, None)
    assert [child.tag.removeprefix(CPIX) for child in root] == [
        "ContentKeyList",
        "DRMSystemList",
        "ContentKeyUsageRuleList",
    ]
    for key, element in zip(asked.keys, root.iter(f"{CPIX}ContentKey"), strict=True):
        assert UUID(element.get("kid")).hex == key.kid
        assert element.get("commonEncryptionScheme") == "cbcs"
        assert b64decode(element.get("explicitIV")).hex() == key.iv
        assert len(element) == 0
    blanks = {
        system: [blank.tag.removeprefix(CPIX) for blank in element]
        for element in root.iter(f"{CPIX}DRMSystem")
        for system in [element.get("systemId")]
    }
    boxed = ["PSSH", "ContentProtectionData", "HLSSignalingData", "HLSSignalingData"]
    assert blanks == {
        "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed": boxed,
        "9a04f079-9840-4286-ab92-e65be0885f95": boxed,
        "94ce86fb-07ff-4f43-adb8-93d2fa968ca2": boxed[2:],
    }
    assert len(list(root.iter(f"{CPIX}DRMSystem"))) == len(SYSTEMS) * len(LABELS)


def test_a_rule_says_what_each_key_is_for() -> None:
    root = etree.fromstring(cpix.request(wanted()))

    rules = {
        rule.get("intendedTrackType"): [
            (child.tag.removeprefix(CPIX), dict(child.attrib)) for child in rule
        ]
        for rule in root.iter(f"{CPIX}ContentKeyUsageRule")
    }
    assert rules == {
        "AUDIO": [("AudioFilter", {})],
        "SD": [("VideoFilter", {"maxPixels": "589824"})],
        "HD": [("VideoFilter", {"minPixels": "589825", "maxPixels": "2073600"})],
        "UHD": [("VideoFilter", {"minPixels": "2073601"})],
    }


def test_the_same_question_is_the_same_document() -> None:
    assert cpix.request(wanted()) == cpix.request(wanted())
    other = cpix.contract("another-1", LABELS, Scheme.CBCS, SYSTEMS)
    kids = {key.kid for key in [*wanted().keys, *other.keys]}
    assert len(kids) == 2 * len(LABELS)
    assert all(UUID(kid).version == 5 for kid in kids)


def test_the_older_scheme_asks_neither_for_ivs_nor_for_fairplay() -> None:
    asked = wanted(Scheme.CENC)

    assert {key.iv for key in asked.keys} == {None}
    assert asked.systems == (KeySystem.WIDEVINE, KeySystem.PLAYREADY)


def test_keys_for_clearkey_alone_are_asked_for_as_if_for_widevine() -> None:
    asked = cpix.contract(CONTENT, LABELS, Scheme.CBCS, [KeySystem.CLEARKEY])

    assert asked.systems == (KeySystem.WIDEVINE,)


def answer(
    change: Callable[[etree._Element], None] = lambda _: None,
    *,
    certificate: bytes | None = None,
) -> bytes:
    """Return the document as the test service fills it, changed."""
    root = etree.fromstring(cpix.request(wanted(), certificate))
    speke_service.SpekeService().fill(root)
    change(root)
    return bytes(etree.tostring(root))


def test_a_filled_document_gives_keys_ivs_boxes_and_addresses() -> None:
    found = cpix_answer.delivered(answer(), wanted())

    service = speke_service.SpekeService()
    for key, asked in zip(found, wanted().keys, strict=True):
        assert (key.kid, key.iv) == (asked.kid, asked.iv)
        assert key.key == service.key(CONTENT, key.kid)
        assert set(key.pssh) == set(SYSTEMS)
        assert UUID(key.kid).bytes in key.pssh[KeySystem.PLAYREADY]
        address = f"skd://double/{UUID(key.kid)}"
        assert key.pssh[KeySystem.FAIRPLAY] == address.encode()
        assert repr(key.key) not in repr(found)


def test_the_iv_of_the_service_wins_over_our_proposal() -> None:
    def other(root: etree._Element) -> None:
        for element in root.iter(f"{CPIX}ContentKey"):
            element.set("explicitIV", b64encode(b"i" * 16).decode())

    found = cpix_answer.delivered(answer(other), wanted())

    assert {key.iv for key in found} == {(b"i" * 16).hex()}


def test_a_service_may_leave_out_the_address_for_fairplay() -> None:
    def without(root: etree._Element) -> None:
        for element in root.iter(f"{CPIX}HLSSignalingData"):
            element.text = None

    found = cpix_answer.delivered(answer(without), wanted())

    assert KeySystem.FAIRPLAY not in found[0].pssh


def _drop(path: str) -> Callable[[etree._Element], None]:
    def drop(root: etree._Element) -> None:
        for element in root.findall(f".//{path}"):
            element.getparent().remove(element)

    return drop


def _set(path: str, name: str, value: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        element = root if path == "." else root.find(f".//{path}")
        element.set(name, value)

    return change


def _write(path: str, text: str | bytes) -> Callable[[etree._Element], None]:
    def write(root: etree._Element) -> None:
        value = b64encode(text).decode() if isinstance(text, bytes) else text
        root.find(f".//{path}").text = value

    return write


def _repeat(path: str) -> Callable[[etree._Element], None]:
    def repeat(root: etree._Element) -> None:
        element = root.find(f".//{path}")
        element.addnext(etree.fromstring(etree.tostring(element)))

    return repeat


def _rename(root: etree._Element) -> None:
    root.tag = "{urn:other}CPIX"


STRANGER = "11111111-2222-3333-4444-555555555555"
WIDEVINE_BOX = speke_service.pssh(UUID(speke_service.KNOWN[0]), b"x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_rename, "no CPIX document"),
        (_set(".", "version", "2.2"), "another version than 2.3"),
        (_set(".", "contentId", "other"), "another content"),
        (_drop(f"{CPIX}ContentKeyList"), "other keys than those"),
        (_drop(f"{CPIX}ContentKey[2]"), "other keys than those"),
        (_set(f"{CPIX}ContentKey", "kid", STRANGER), "other keys than those"),
        (_set(f"{CPIX}ContentKey", "kid", "canary"), "a KID that is none"),
        (_repeat(f"{CPIX}ContentKey"), "the same key twice"),
        (
            _set(f"{CPIX}ContentKey", "commonEncryptionScheme", "cenc"),
            "another encryption scheme",
        ),
        (_set(f"{CPIX}ContentKey", "explicitIV", "AAAA"), "missing or damaged"),
        (_drop(f"{CPIX}Data"), "without its value"),
        (_drop(f"{PSKC}PlainValue"), "missing or damaged"),
        (_write(f"{PSKC}PlainValue", "canary!"), "missing or damaged"),
        (_write(f"{PSKC}PlainValue", "кана́рка"), "missing or damaged"),
        (_write(f"{PSKC}PlainValue", b"canary"), "another length"),
        (_drop(f"{CPIX}DRMSystemList"), "0 entries"),
        (_set(f"{CPIX}DRMSystem", "systemId", STRANGER), "0 entries"),
        (_set(f"{CPIX}DRMSystem", "systemId", "canary"), "0 entries"),
        (_set(f"{CPIX}DRMSystem", "kid", STRANGER), "0 entries"),
        (_repeat(f"{CPIX}DRMSystem"), "2 entries"),
        (_drop(f"{CPIX}PSSH"), "missing or damaged"),
        (_write(f"{CPIX}PSSH", ""), "missing or damaged"),
        (_write(f"{CPIX}PSSH", WIDEVINE_BOX[:-1]), "damaged, or of another"),
        (
            _write(f"{CPIX}DRMSystem[5]/{CPIX}PSSH", WIDEVINE_BOX),
            "damaged, or of another",
        ),
        (
            _write(
                f"{CPIX}DRMSystem[9]/{CPIX}HLSSignalingData",
                b'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="https://canary/"',
            ),
            "without an skd:// address",
        ),
    ],
)
def test_an_answer_that_breaks_the_contract_is_refused_and_not_quoted(
    change: Callable[[etree._Element], None], words: str
) -> None:
    with pytest.raises(PreconditionFailed, match=words) as caught:
        cpix_answer.delivered(answer(change), wanted())

    _tells_nothing(caught)


def _tells_nothing(caught: pytest.ExceptionInfo[PreconditionFailed]) -> None:
    assert caught.value.code == "protection.provider-garbled"
    assert caught.value.__context__ is None
    told = f"{caught.getrepr(chain=True)}{caught.value.details}"
    assert "canary" not in caught.value.message
    service = speke_service.SpekeService()
    for asked in wanted().keys:
        assert b64encode(service.key(CONTENT, asked.kid)).decode() not in told


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff\xfegarbage",
        b"<CPIX",
        b"plain words with a canary",
        b"<a>" * 5000,
        b'{"error": "canary"}',
        b'<?xml version="1.0" encoding="no-such"?><a/>',
    ],
)
def test_what_is_no_document_is_refused_and_not_quoted(document: bytes) -> None:
    with pytest.raises(PreconditionFailed, match="no plain XML") as caught:
        cpix_answer.delivered(document, wanted())

    _tells_nothing(caught)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/canary.dtd">',
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    ],
)
def test_entities_and_foreign_definitions_are_refused(declaration: str) -> None:
    document = declaration.encode() + answer()

    with pytest.raises(PreconditionFailed, match="no plain XML"):
        cpix_answer.delivered(document, wanted())


def test_keys_that_are_encrypted_for_us_are_opened() -> None:
    us = cpix_sealed.recipient(certified())

    document = answer(certificate=us.certificate)
    found = cpix_answer.delivered(document, wanted(), us)

    service = speke_service.SpekeService()
    for key in found:
        value = service.key(CONTENT, key.kid)
        assert key.key == value
        assert b64encode(value) not in document


def _flip(path: str, at: int) -> Callable[[etree._Element], None]:
    def flip(root: etree._Element) -> None:
        element = root.find(f".//{path}")
        value = bytearray(b64decode(element.text))
        value[at] ^= 1
        element.text = b64encode(bytes(value)).decode()

    return flip


CONTENT_KEY = f"{CPIX}ContentKey"
CIPHER = f"{ENC}CipherValue"
METHOD = f"{ENC}EncryptionMethod"
DOCUMENT_KEY, MAC = f"{CPIX}DocumentKey", f"{CPIX}MACMethod"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_flip(f"{CONTENT_KEY}//{CIPHER}", 0), "authentication code"),
        (_flip(f"{CONTENT_KEY}//{CIPHER}", -1), "authentication code"),
        (_flip(f"{CONTENT_KEY}//{PSKC}ValueMAC", 5), "authentication code"),
        (_drop(f"{CONTENT_KEY}//{PSKC}ValueMAC"), "missing or damaged"),
        (_flip(f"{DOCUMENT_KEY}//{CIPHER}", 9), "does not open"),
        (_flip(f"{MAC}//{CIPHER}", 9), "does not open"),
        (_drop(DOCUMENT_KEY), "no document key"),
        (_drop(MAC), "no key for HMAC"),
        (_drop(f"{MAC}/{CPIX}Key"), "no encrypted value"),
        (_set(DOCUMENT_KEY, "Algorithm", "canary"), "no document key"),
        (_set(MAC, "Algorithm", "canary"), "no key for HMAC"),
        (_set(METHOD, "Algorithm", "canary"), "another method"),
        (_set(f"{CONTENT_KEY}//{METHOD}", "Algorithm", "canary"), "another method"),
        (_drop(f"{CPIX}DeliveryDataList"), "not encrypted for our certificate"),
        (_drop(f"{CPIX}DeliveryKey"), "not encrypted for our certificate"),
        (_drop(f"{PSKC}EncryptedValue"), "no encrypted value"),
    ],
)
def test_encrypted_keys_that_were_tampered_with_are_refused(
    change: Callable[[etree._Element], None], words: str
) -> None:
    us = cpix_sealed.recipient(certified())

    with pytest.raises(PreconditionFailed, match=words) as caught:
        cpix_answer.delivered(answer(change, certificate=us.certificate), wanted(), us)

    _tells_nothing(caught)


def test_keys_for_somebody_else_are_refused() -> None:
    us = cpix_sealed.recipient(certified())
    somebody = cpix_sealed.recipient(certified("somebody"))

    with pytest.raises(PreconditionFailed, match="not encrypted for our certificate"):
        cpix_answer.delivered(answer(certificate=somebody.certificate), wanted(), us)


def test_keys_in_the_clear_are_refused_where_encrypted_ones_were_asked_for() -> None:
    us = cpix_sealed.recipient(certified())

    def in_the_clear(root: etree._Element) -> None:
        for secret in root.findall(f".//{CONTENT_KEY}/{CPIX}Data/{PSKC}Secret"):
            plain = etree.SubElement(secret, f"{PSKC}PlainValue")
            plain.text = b64encode(bytes(16)).decode()

    with pytest.raises(PreconditionFailed, match="in the clear"):
        cpix_answer.delivered(
            answer(in_the_clear, certificate=us.certificate), wanted(), us
        )


def test_encrypted_keys_that_nobody_asked_for_name_what_is_missing() -> None:
    us = cpix_sealed.recipient(certified())

    with pytest.raises(PreconditionFailed, match="document_key"):
        cpix_answer.delivered(answer(certificate=us.certificate), wanted())


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"canary",
        certified().split(b"-----BEGIN CERTIFICATE")[0],
        b"-----BEGIN CERTIFICATE" + certified().split(b"-----BEGIN CERTIFICATE")[1],
        certified().split(b"-----BEGIN CERTIFICATE")[0]
        + b"-----BEGIN CERTIFICATE"
        + certified("somebody").split(b"-----BEGIN CERTIFICATE")[1],
        certified(bits=1024),
    ],
    ids=[
        "empty",
        "no PEM",
        "key alone",
        "certificate alone",
        "of another key",
        "too short",
    ],
)
def test_a_document_key_without_its_certificate_is_refused(pem: bytes) -> None:
    with pytest.raises(ConfigError, match="document_key") as caught:
        cpix_sealed.recipient(pem)

    assert caught.value.__context__ is None
