"""Amounts of money as people read them."""

from decimal import Decimal

from django import template

register = template.Library()


@register.filter
def money(value: Decimal | float | None, currency: str = "EUR") -> str:
    """Show an amount without cents, thousands apart, with its currency."""
    if value is None:
        return ""
    return f"{value:,.0f} {currency}".replace(",", "\u202f").replace("-", "\u2212")
