"""Whether the storage is there: what fails while it is away is nobody's fault."""

import os

from appliance.errors import PreconditionFailed
from appliance.storage import Storage


def reason(storage: Storage) -> str:
    """Say why the storage can't be used now, or nothing when it can."""
    try:
        storage.require_mounted()
        # Of a share whose server is gone this is an error, of a folder it is not.
        os.listdir(storage.root)  # noqa: PTH208
    except PreconditionFailed as error:
        return error.message
    except FileNotFoundError:  # a new installation has none yet
        return ""
    except OSError as error:
        return f"The storage {storage.root} does not answer: {error.strerror}."
    return ""
