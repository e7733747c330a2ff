"""What the HTML reports have in common: how templates are filled in, and pictures inside the page."""

import base64
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def fill_page(package: str, template: str, **values: Any) -> str:
    """A page from its template: every value is escaped, an absent one is an error.

    Args:
        package: in whose folder `templates` it lies; those of `drae_data` can be included.
        template: its file name.
        values: what the template names.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((package, "drae_data"))]), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template(template).render(**values)


def data_uri(png: bytes) -> str:
    """A PNG file as the address of a picture inside a page."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
