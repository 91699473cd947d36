"""Whether the Hugging Face hub can be asked, seen at once and not after a minute of retries."""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_TRUE = {"1", "ON", "YES", "TRUE"}


def is_name(source: str) -> bool:
    """Whether ``source`` could be ``owner/name`` on the hub, and is no path by its look."""
    return bool(_NAME.fullmatch(source)) and source[0] not in ".~" and not Path(source).exists()


def out_of_reach() -> bool:
    """Whether the hub's address cannot be looked up, or the user said to stay offline."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in _TRUE:
        return True
    # Behind a proxy the name is looked up elsewhere.
    if getproxies():
        return False
    host = urlsplit(os.environ.get("HF_ENDPOINT", "")).hostname or "huggingface.co"
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return True
    return False


@contextmanager
def within_reach() -> Iterator[bool]:
    """Whether the hub can be asked; where not, what is asked within is answered by its cache.

    Without this, every question to an unreachable hub is asked again for half a minute.
    """
    if not out_of_reach():
        yield True
        return
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    # The environment variable of this name is read only once, when the library is imported.
    constants.HF_HUB_OFFLINE = True
    try:
        yield False
    finally:
        constants.HF_HUB_OFFLINE = before
