"""The report in a browser: search, links, copies, the band; nothing wide and nothing fetched."""

import re

import pytest

from disband.verify.deciding.decide import COMPUTED
from disband.verify.pages.report import write_report
from tests.engines import needs_browser
from tests.pages import SVG
from tests.verify.pages.reports import claim, small_report

pytestmark = [needs_browser, pytest.mark.slow]

# What may be wider than the page scrolls by itself.
WIDE = """() => [...document.querySelectorAll("body *")].filter((part) =>
    part.getBoundingClientRect().right > innerWidth + 1
    && !part.closest(".scroll, .math, .sheet, nav, dd")
).map((part) => `${part.tagName} ${part.textContent.slice(0, 60)}`)"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    report = small_report()
    long_name = "yuan2025." + "a-very-long-name-without-a-place-to-break" * 3
    report["claims"] += [
        claim("proved", id=long_name, decided_by=COMPUTED, note="Of frogs: " + "f" * 300),
    ]
    report["provenance"]["hash"] = "0123456789abcdef" * 8
    (folder / "figures").mkdir()
    figure = folder / "figures" / "one.svg"
    figure.write_text(SVG)
    write_report(report, {"one": figure}, folder)
    return (folder / "report.html").as_uri()


@pytest.fixture
def opened(chromium, address):
    """Open the page with settings of one's own; it may neither complain nor ask for a network."""
    contexts, complaints, asked = [], [], []

    def open_(hash_="", **settings):
        contexts.append(chromium.new_context(offline=True, **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address + hash_)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
    assert all(url.startswith(("file:", "data:")) for url in asked)


def one_is_left(page):
    page.locator("#filter output", has_text=re.compile("^1 of ")).wait_for()


def left(page):
    return [
        entry.get_attribute("data-of") for entry in page.locator("#ledger .entry:visible").all()
    ]


def test_search_looks_in_what_is_not_open_and_is_kept_in_the_address(opened):
    page = opened()
    page.locator("[name=q]").fill("frogs yuan2025")
    one_is_left(page)
    (name,) = left(page)
    assert page.url.endswith("#claims?q=frogs+yuan2025")
    again = opened("#" + page.url.partition("#")[2])
    one_is_left(again)
    assert left(again) == [name]
    again.locator("[name=q]").fill("")
    again.locator("#filter output", has_text=re.compile("^7 of ")).wait_for()
    again.locator("[name=verdict]").select_option("computed")
    one_is_left(again)
    assert again.url.endswith("#claims?verdict=computed")
    assert left(again) == [name]


def test_a_link_to_a_claim_opens_it_and_brings_it_back(opened):
    page = opened("#claim-yuan2025.refuted")
    body = page.locator("[id='claim-yuan2025.refuted'] .body")
    body.wait_for()
    assert "fails" in body.locator(".wrong").inner_text()
    page.locator("[name=paper]").select_option("")
    page.locator("[name=q]").fill("frogs")
    one_is_left(page)
    page.evaluate("location.hash = '#claim-yuan2025.open'")
    page.locator("[id='claim-yuan2025.open'] .body").wait_for()
    assert len(left(page)) == 7


def test_a_claim_is_copied(opened):
    page = opened("#claim-yuan2025.open")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    page.locator("[data-copy=bibtex]").click()
    page.get_by_text("copied", exact=True).wait_for()
    text = page.evaluate("window.copied")
    assert text.startswith("@misc{yuan2025,")
    assert "Leqi, Liu" in text


def test_the_band_answers_for_the_readers_numbers(opened):
    page = opened()
    said = page.locator("#said")
    assert "DPO: both fall. r = 1 is below the band, 1.17 times too small" in said.inner_text()
    page.locator("[name=cosine]").fill("0.5")
    assert "DPO: chosen up, rejected down. r = 1 is inside the band" in said.inner_text()
    assert page.locator("[data-at=DPO]").inner_text() == "chosen up, rejected down"
    page.locator("[name=cosine]").fill("-0.5")
    assert "every positive ratio is good" in said.inner_text()
    page.locator("[name=ratio]").fill("-1")
    assert "a ratio of lengths is positive" in said.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(opened, scheme):
    page = opened(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    for part in page.locator("details").all():
        part.evaluate("part => { part.open = true }")
    built, entries = page.locator(".entry > .body > *:first-child"), page.locator(".entry")
    built.nth(entries.count() - 1).wait_for()
    assert page.evaluate(WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_table_sorts_by_number_and_by_keyboard(opened):
    page = opened()
    head = page.locator(".objectives thead th").nth(0).locator("button")
    head.focus()
    page.keyboard.press("Enter")
    assert page.locator(".objectives thead th").nth(0).get_attribute("aria-sort") == "ascending"


def test_the_keyboard_comes_first_to_the_way_past_the_navigation(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
