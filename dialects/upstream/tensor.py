"""`tensor`, with a `tensor.pad` whose result may have static sizes where its padding is given by operands."""

from __future__ import annotations

from xdsl.dialects import tensor
from xdsl.dialects.builtin import DYNAMIC_INDEX, TensorType
from xdsl.ir import Dialect
from xdsl.utils.exceptions import VerifyException


class PadOp(tensor.PadOp):
    """xDSL's, which takes a size to be dynamic wherever a padding is."""

    def verify_(self) -> None:
        source, result = self.source.type, self.result.type
        assert isinstance(source, TensorType) and isinstance(result, TensorType)
        low, high = self.static_low.get_values(), self.static_high.get_values()
        if not len(low) == len(high) == len(source.get_shape()) == len(result.get_shape()):
            raise VerifyException("needs as many pad sizes as its source and its result have dims")
        for size, before, after, found in zip(source.get_shape(), low, high, result.get_shape(), strict=True):
            known = DYNAMIC_INDEX not in (size, before, after, found)
            if known and size + before + after != found:
                raise VerifyException(f"expected a size of {size + before + after}, found {found}")


Tensor = Dialect(
    "tensor",
    [PadOp if op is tensor.PadOp else op for op in tensor.Tensor.operations],
    list(tensor.Tensor.attributes),
)
