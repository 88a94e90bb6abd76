"""Pages and pictures written from the Jinja templates that lie beside our modules."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def render(template: str, **values: Any) -> Markup:
    """Return a template filled with values.

    Text is escaped unless it is `Markup`; a name that the template asks for and nobody gives is an
    error. Templates are files in the package, such as `evaluation/report/page.html`.
    """
    return Markup(_environment().get_template(template).render(values))


def percent(share: float | None) -> str:
    """Return a share as percent, and what is undefined as a dash."""
    return "–" if share is None or share != share else f"{100 * share:.2f} %"  # noqa: RUF001


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("swiftseg", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = percent
    return environment
