"""What tests put into pages, and how they read them."""

from html.parser import HTMLParser

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">&"\''
SVG = (
    '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" '
    'xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" height="36pt" viewBox="0 0 72 36">'
    "<metadata>made</metadata><style>*{color:red}</style><script>alert(3)</script>"
    '<defs><path id="glyph" d="M0 0"/><clipPath id="clip"><path d="M0 0"/></clipPath></defs>'
    '<g clip-path="url(#clip)" onclick="alert(4)"><use xlink:href="#glyph"/></g>'
    '<a xlink:href="https://elsewhere.example/"><path d="M1 1"/></a></svg>'
)


class Page(HTMLParser):
    """What a browser would see: tags with attributes, and the text of each."""

    VOID = frozenset(("meta", "link", "wbr", "img", "input"))

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.text.append(data)

    def attributes(self, name):
        return [attrs[name] for _, attrs in self.tags if name in attrs]
