"""The explorer in a browser, once for many questions or with settings of one's own."""

import pytest

from tests.browsing import LOSS, OWN, Explorer


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    from disband.explorer.page import page
    from disband.explorer.tokens import recorded

    file = tmp_path_factory.mktemp("explore") / "explore.html"
    file.write_text(page(recorded(), OWN, loss=LOSS), "utf-8")
    return file.as_uri()


@pytest.fixture(scope="module")
def _shared(chromium, address):
    with chromium.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield Explorer(context, address).go("tab=pair&objective=DPO")


@pytest.fixture
def shown(_shared):
    """One page for many questions; none of them may leave a complaint."""
    yield _shared
    assert _shared.complaints == []
    assert all(url.startswith(("file:", "data:", "about:")) for url in _shared.requests)


@pytest.fixture
def opened(chromium, address):
    """A page of one's own, with the context's settings; checked like the shared one."""
    contexts, pages = [], []

    def open_(hash_="", **settings):
        contexts.append(chromium.new_context(offline=True, **settings))
        pages.append(Explorer(contexts[-1], address).go(hash_))
        return pages[-1]

    yield open_
    for one in pages:
        assert one.complaints == []
        assert all(url.startswith(("file:", "data:", "about:")) for url in one.requests)
    for context in contexts:
        context.close()
