"""Interactive widgets: Studio, Morph, Explorer, Inside, Dials."""

from vaelib.widgets.dials import Dials
from vaelib.widgets.explorer import Explorer
from vaelib.widgets.inside import Inside
from vaelib.widgets.morph import Morph
from vaelib.widgets.studio import Studio

__all__ = ["Dials", "Explorer", "Inside", "Morph", "Studio"]
