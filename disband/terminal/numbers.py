"""Numbers as a person reads them."""


def number(value: float) -> str:
    """Return ``value`` with four significant digits and a true minus sign."""
    return f"{value:z.4g}".replace("-", "−").replace("inf", "∞")
