"""Strip layouts by recipe or station: the same vials and regions, at other places in the frame."""

from collections.abc import Mapping
from dataclasses import dataclass

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import AcquisitionError, OptionError
from drae_data.strip_layout import StripLayout

LAYOUTS_BY = ("", "recipe", "station")


@dataclass(frozen=True)
class StripLayouts:
    """Which layout holds for an acquisition.

    Attributes:
        by: the part of the key that decides: recipe or station; empty where one layout holds for all.
        layouts: by that part's value; by the empty text where one holds for all. All have the same regions in the same
            order and the same number of vials, so that every acquisition gives as many patches.
    """

    by: str
    layouts: Mapping[str, StripLayout]

    def __post_init__(self) -> None:
        if self.by not in LAYOUTS_BY:
            raise OptionError("strip_layout.by", self.by, "'recipe' or 'station'")
        if not self.layouts or (not self.by and list(self.layouts) != [""]):
            raise OptionError("strip_layout.layouts", sorted(self.layouts), "at least one layout")
        shapes = {name: (layout.regions, layout.vials) for name, layout in self.layouts.items()}
        if len(set(shapes.values())) > 1:
            raise OptionError("strip_layout.layouts", shapes, "layouts of the same regions and number of vials")

    @classmethod
    def single(cls, layout: StripLayout) -> "StripLayouts":
        """One layout for all acquisitions."""
        return cls("", {"": layout})

    @property
    def regions(self) -> tuple[str, ...]:
        """The region names in order."""
        return next(iter(self.layouts.values())).regions

    @property
    def vials(self) -> int:
        """The number of vials of a strip."""
        return next(iter(self.layouts.values())).vials

    def of(self, key: AcquisitionKey) -> StripLayout:
        """The layout of an acquisition; raises `AcquisitionError` (`no_layout`)."""
        name = getattr(key, self.by) if self.by else ""
        if name not in self.layouts:
            raise AcquisitionError(
                "no_layout",
                f"expected one of the {self.by}s {sorted(self.layouts)} (strip_layout.layouts), got {name!r}",
            )
        return self.layouts[name]
