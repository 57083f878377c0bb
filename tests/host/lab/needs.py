"""What a machine must have and allow for boxes to run on it."""

import os
import shutil

_TOOLS = (
    *("systemd-nspawn", "mmdebstrap", "slirp4netns", "nft", "ip", "nsenter"),
    *("ssh", "ssh-keygen", "mount", "pgrep"),
)


def missing() -> str:
    """Return why no box can run here; empty when one can."""
    if os.geteuid() != 0:
        return "boxes need root"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    lacking = [each for each in _TOOLS if shutil.which(each, path=path) is None]
    return f"boxes need {' '.join(lacking)}" if lacking else ""
