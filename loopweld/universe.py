"""Our dialects and passes for stock xDSL tools: `xdsl-opt` finds them by the entry point `xdsl.universe`."""

from xdsl.universe import Universe

from loopweld.dialects import dialects
from loopweld.passes import passes

UNIVERSE = Universe(all_dialects=dialects(), all_passes=passes())
