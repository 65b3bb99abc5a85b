"""`Dependencies`: which ops need which while ops are grouped, so that no group comes to need itself."""

from __future__ import annotations

from xdsl.ir import Block, Operation

from ...dialects.ir import ops_of
from .graph import producers, sort_block, users

LONG_SEARCH = 16
"""After how many ops a search asks which ones lead to where it wants to go."""


class Node:
    """Ops that count as one. A set of ops is the bits of a number: whether two sets meet is one `and`."""

    __slots__ = ("above", "bits", "into", "needed_by", "needs")

    def __init__(self, bits: int, above: int, needs: set[Node]):
        self.bits = bits
        """The ops of the node."""
        self.above = above
        """Of every node that this one depends on at least one op."""
        self.needs = needs
        """The nodes that it depends on directly."""
        self.needed_by: set[Node] = set()
        self.into: Node | None = None
        """The node that this one has become a part of."""


class Dependencies:
    """The nodes of a block. Ops are added in order, each as a node of its own."""

    def __init__(self) -> None:
        self._nodes: dict[Operation, Node] = {}

    def add(self, op: Operation) -> None:
        needs = {self._node(p) for p in producers(op) if p in self._nodes}
        above = 0
        for node in needs:
            above |= node.above | node.bits
        added = self._nodes[op] = Node(1 << len(self._nodes), above, needs)
        for node in needs:
            node.needed_by.add(added)

    def apart(self, first: Operation, second: Operation) -> bool:
        """Whether a third node stands between the nodes of two ops: it depends on one of them and the other on it."""
        return self.passes_a_third(first, second) or self.passes_a_third(second, first)

    def passes_a_third(self, first: Operation, second: Operation) -> bool:
        """Whether a path leads from the node of `first` to that of `second` through another one."""
        low, high = self._node(first), self._node(second)
        if not high.above & low.bits:
            return False
        return any(third.above & low.bits for third in map(_live, high.needs) if third is not low and third is not high)

    def lead(self, first: Operation, second: Operation) -> bool:
        """Whether the node of `second` depends on that of `first`."""
        return bool(self._node(second).above & self._node(first).bits)

    def merge(self, first: Operation, second: Operation) -> None:
        """Make the nodes of two ops one."""
        small, large = sorted((self._node(first), self._node(second)), key=lambda n: len(n.needs) + len(n.needed_by))
        above = (small.above | large.above) & ~(small.bits | large.bits)
        for node, other in ((small, large), (large, small)):
            if above & ~node.above:
                _spread(node, above, other)
        small.into = large
        large.bits |= small.bits
        large.above = above
        large.needs |= small.needs
        large.needed_by |= small.needed_by

    def _node(self, op: Operation) -> Node:
        return _live(self._nodes[op])


class Paths:
    """Finds out whether an op depends on another one through a third, while ops of a block are fused."""

    def __init__(self, block: Block):
        self.block = block
        self._dependencies: Dependencies | None = None
        """For long searches, made for the first one. Fusion may have ended some of these dependencies."""

    def has_other(self, producer: Operation, consumer: Operation) -> bool:
        """Whether `consumer` depends on `producer` through a third op."""
        if self._dependencies is not None and not self._dependencies.passes_a_third(producer, consumer):
            return False
        seen: set[Operation] = set()
        stack = list(users(producer) - {consumer})
        while stack:
            op = stack.pop()
            if op is consumer:
                return True
            if op not in seen and (len(seen) < LONG_SEARCH or self._all().lead(op, consumer)):
                seen.add(op)
                stack += users(op) - seen
        return False

    def join(self, producer: Operation, consumer: Operation) -> None:
        """Note that the consumer has become both."""
        if self._dependencies is not None:
            self._dependencies.merge(producer, consumer)

    def _all(self) -> Dependencies:
        if self._dependencies is None:
            sort_block(self.block)
            self._dependencies = Dependencies()
            for op in ops_of(self.block):
                self._dependencies.add(op)
        return self._dependencies


def _live(node: Node) -> Node:
    """The node that this one is, or is a part of by now."""
    while node.into is not None:
        if node.into.into is not None:
            node.into = node.into.into
        node = node.into
    return node


def _spread(node: Node, above: int, other: Node) -> None:
    """All that depend on `node` now depend on `above` too."""
    stack = [node]
    while stack:
        for user in map(_live, stack.pop().needed_by):
            if user is not node and user is not other and above & ~user.above:
                user.above |= above
                stack.append(user)
