"""Interactive widgets: Studio, Morph, Explorer, Dials."""

from vaelib.widgets.dials import Dials
from vaelib.widgets.explorer import Explorer
from vaelib.widgets.morph import Morph
from vaelib.widgets.studio import Studio

__all__ = ["Dials", "Explorer", "Morph", "Studio"]
