"""The explorer as a test sees it in a browser."""

from urllib.parse import parse_qs

import pytest

from disband.theory.own_loss.declare import objective_of

LOSS = "relu(goal - (w - l)/len_w) - lam*w"
OWN = objective_of(LOSS, goal=0.7, lam=0.1)


class Explorer:
    """The page in a browser, and all that went wrong in it."""

    def __init__(self, context, address):
        self.page, self.address = context.new_page(), address
        self.complaints, self.requests = [], []
        self.page.on("console", lambda said: self._hear(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda one: self.requests.append(one.url))

    def _hear(self, kind, text):
        if kind not in {"info", "log", "debug"}:
            self.complaints.append(f"{kind}: {text}")

    def go(self, hash_=""):
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#{hash_}")
        tab = parse_qs(hash_).get("tab", ["pair"])[0]
        self.ready(tab if tab in {"toys", "tokens", "horizon"} else "pair")
        return self

    def ready(self, tab):
        self.page.wait_for_selector(f"html[data-ready={tab}]")

    def until(self, condition):
        """Wait for a condition; ``wait_for_function`` would break the page's rule against eval."""
        for _ in range(200):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"never came: {condition}")

    def choose(self, objective):
        self.page.select_option("#objective", objective.name)

    def type(self, **numbers):
        for key, value in numbers.items():
            self.page.fill(f"[id='{key}-number']", repr(value))

    def value(self, where):
        return float(self.page.locator(where).get_attribute("data-value"))

    def values(self, *names):
        read = "names => names.map(name => document.getElementById(name).dataset.value)"
        return [float(v) if v is not None else None for v in self.page.evaluate(read, names)]

    def number(self, key):
        return float(self.page.input_value(f"[id='{key}-number']"))

    def text(self, where):
        return self.page.inner_text(where)
