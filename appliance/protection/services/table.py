"""The licence services there are, one line each."""

from collections.abc import Mapping

from appliance.cenc import KeySystem
from appliance.protection.services import (
    axinom,
    doverunner,
    drmtoday,
    expressplay,
    ezdrm,
    fairplay,
    keyos,
    widevine_cloud,
)
from appliance.protection.services.shapes import Service

_WIDEVINE, _PLAYREADY, _FAIRPLAY = (
    KeySystem.WIDEVINE,
    KeySystem.PLAYREADY,
    KeySystem.FAIRPLAY,
)
_DOVERUNNER = "https://drm-license.doverunner.com/ri/licenseManager.do"

SERVICES: Mapping[str, Service] = {
    "widevine-cloud": Service(
        name="Widevine’s licence service",
        section="widevine",
        addresses={
            _WIDEVINE: "https://license.widevine.com/cenc/getlicense/{provider}"
        },
        body=widevine_cloud.body,
        unwrap=widevine_cloud.unwrap,
    ),
    "axinom": Service(
        name="Axinom",
        section="axinom",
        addresses={
            _WIDEVINE: "https://{prefix}.drm-widevine-licensing.axprod.net/AcquireLicense",
            _PLAYREADY: "https://{prefix}.drm-playready-licensing.axprod.net/AcquireLicense",
            _FAIRPLAY: "https://{prefix}.drm-fairplay-licensing.axprod.net/AcquireLicense",
        },
        headers=axinom.headers,
        unwrap=fairplay.unwrap,
    ),
    "doverunner": Service(
        name="DoveRunner",
        section="doverunner",
        addresses=dict.fromkeys((_WIDEVINE, _PLAYREADY, _FAIRPLAY), _DOVERUNNER),
        headers=doverunner.headers,
        body=fairplay.form,
        unwrap=fairplay.unwrap,
        certificate=(
            "https://drm-license.doverunner.com/ri/fpsKeyManager.do?siteId={site_id}"
        ),
    ),
    "ezdrm": Service(
        name="EZDRM",
        section="ezdrm",
        addresses={
            _WIDEVINE: "https://widevine-dash.ezdrm.com/proxy",
            _PLAYREADY: "https://playready.ezdrm.com/cency/preauth.aspx",
            _FAIRPLAY: "https://fps.ezdrm.com/api/licenses/{asset}",
        },
        query=ezdrm.query,
        unwrap=fairplay.unwrap,
        chooses=False,
    ),
    "keyos": Service(
        name="KeyOS",
        section="keyos",
        addresses={
            _WIDEVINE: "https://wv-keyos.licensekeyserver.com/",
            _PLAYREADY: "https://pr-keyos.licensekeyserver.com/core/rightsmanager.asmx",
            _FAIRPLAY: "https://fp-keyos.licensekeyserver.com/getkey",
        },
        headers=keyos.headers,
        unwrap=fairplay.unwrap,
        chooses=False,
        certificate="https://fp-keyos.licensekeyserver.com/cert/{certificate_id}.der",
    ),
    "expressplay": Service(
        name="ExpressPlay",
        section="expressplay",
        addresses={
            _WIDEVINE: "https://wv-gen.service.expressplay.com/hms/wv/token",
            _PLAYREADY: "https://pr-gen.service.expressplay.com/hms/pr/token",
            _FAIRPLAY: "https://fp-gen.service.expressplay.com/hms/fp/token",
        },
        locate=expressplay.locate,
        unwrap=fairplay.unwrap,
    ),
    "drmtoday": Service(
        name="DRMtoday",
        section="drmtoday",
        addresses={
            _WIDEVINE: "https://lic.drmtoday.com/license-proxy-widevine/cenc/",
            _PLAYREADY: (
                "https://lic.drmtoday.com/license-proxy-headerauth/drmtoday/"
                "RightsManager.asmx"
            ),
            _FAIRPLAY: "https://lic.drmtoday.com/license-server-fairplay/",
        },
        headers=drmtoday.headers,
        body=fairplay.form,
        unwrap=drmtoday.unwrap,
        chooses=False,
        certificate="https://lic.drmtoday.com/license-server-fairplay/cert/{merchant}",
    ),
}
"""By the names that ``protection.licences_from`` knows."""
