"""What a table of refusals holds."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from flask_babel import LazyString

from appliance.errors import MatineeError

Sentence: TypeAlias = LazyString | Callable[[MatineeError], str]
"""Words with places for details, as ``%(most)s``, or what makes them of the error."""

Sentences: TypeAlias = Mapping[str, Sentence]
"""By the code of the error."""
