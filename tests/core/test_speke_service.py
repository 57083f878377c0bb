"""The test service for SPEKE refuses every question that the contract does not allow.

So what our client gets from it are answers to right questions.
"""

from collections.abc import Iterator

import pytest
import requests
from lxml import etree

from appliance.cenc import KeySystem, Label, Scheme
from appliance.protection import cpix
from tests.doubles.server import Service, served
from tests.doubles.speke_service import CPIX, SpekeService

LABELS = (Label.AUDIO, Label.SD, Label.HD)
MANDATORY = (
    "ContentKeyList",
    "DRMSystemList",
    "ContentKeyUsageRuleList",
    "ContentKey",
    "DRMSystem",
    "ContentKeyUsageRule",
)
ATTRIBUTES = (
    ("ContentKey", "kid"),
    ("ContentKey", "commonEncryptionScheme"),
    ("DRMSystem", "kid"),
    ("DRMSystem", "systemId"),
    ("ContentKeyUsageRule", "kid"),
    ("ContentKeyUsageRule", "intendedTrackType"),
)


@pytest.fixture
def service() -> Iterator[Service]:
    with served(SpekeService()) as service:
        yield service


def question(scheme: Scheme = Scheme.CBCS) -> etree._Element:
    wanted = cpix.contract("film-1", LABELS, scheme, tuple(KeySystem))
    return etree.fromstring(cpix.request(wanted))


def post(
    service: Service, document: etree._Element | bytes, version: str = "2.0"
) -> requests.Response:
    body = document if isinstance(document, bytes) else etree.tostring(document)
    return requests.post(
        service.url,
        data=body,
        headers={"Content-Type": "application/xml", "X-Speke-Version": version},
        timeout=5,
    )


def test_the_service_takes_our_questions(service: Service) -> None:
    for scheme in Scheme:
        assert post(service, question(scheme)).status_code == 200


def test_the_service_refuses_an_empty_question(service: Service) -> None:
    assert post(service, b"").status_code >= 400
    assert post(service, b"words").status_code >= 400
    assert post(service, b"<a/>").status_code >= 400


def test_the_service_refuses_other_versions(service: Service) -> None:
    for version in ("2.2", "2.4", ""):
        document = question()
        document.set("version", version)
        assert post(service, document).status_code >= 400
    for version in ("1.0", ""):
        assert post(service, question(), version).status_code >= 400


@pytest.mark.parametrize("name", MANDATORY)
def test_the_service_refuses_a_question_without_a_mandatory_element(
    service: Service, name: str
) -> None:
    document = question()
    for element in list(document.iter(f"{CPIX}{name}")):
        element.getparent().remove(element)

    assert post(service, document).status_code >= 400


@pytest.mark.parametrize(("name", "attribute"), ATTRIBUTES)
def test_the_service_refuses_a_question_without_a_mandatory_attribute(
    service: Service, name: str, attribute: str
) -> None:
    document = question()
    for element in document.iter(f"{CPIX}{name}"):
        del element.attrib[attribute]

    assert post(service, document).status_code >= 400


def test_the_service_refuses_a_question_without_a_content(service: Service) -> None:
    document = question()
    del document.attrib["contentId"]

    assert post(service, document).status_code >= 400


def test_the_service_refuses_rules_without_filters(service: Service) -> None:
    document = question()
    for name in ("VideoFilter", "AudioFilter"):
        for element in list(document.iter(f"{CPIX}{name}")):
            element.getparent().remove(element)

    assert post(service, document).status_code >= 400


def test_the_service_refuses_fairplay_with_counters(service: Service) -> None:
    document = question()
    for element in document.iter(f"{CPIX}ContentKey"):
        element.set("commonEncryptionScheme", "cenc")

    assert post(service, document).status_code >= 400


def test_the_service_refuses_two_schemes_at_once(service: Service) -> None:
    document = question()
    document.find(f".//{CPIX}ContentKey").set("commonEncryptionScheme", "cbc1")

    assert post(service, document).status_code >= 400


def test_the_service_refuses_one_key_for_all_beside_others(service: Service) -> None:
    document = question()
    rule = document.find(f".//{CPIX}ContentKeyUsageRule")
    rule.set("intendedTrackType", "ALL")

    assert post(service, document).status_code >= 400
