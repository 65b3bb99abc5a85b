"""The stand-in for an array while a function is traced: NumPy's operators, methods and protocols."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...dialects.expr import product_of
from ...dialects.weld.types import Shape, shape_of
from .errors import message, trace_error, unsupported
from .methods import as_number, binary, method, refuse, shape_method, unary
from .registry import CREATORS, FUNCTIONS
from .session import Session
from .symint import size_value
from .views import View


class Tracer:
    """An array of the traced program. `kind` is "array", "scalar" (NumPy scalar) or "python" (weakly typed)."""

    __slots__ = ("_value", "_view", "argument", "kind", "number", "session")
    __array_priority__ = 1000.0

    def __init__(self, session: Session, value: SSAValue, kind: str = "array", argument: str | None = None):
        self.session = session
        self.kind = kind
        self.argument = argument
        self._value = value
        self._view: View | None = None
        self.number: Callable[[], Any] | None = None
        """What is computed from sizes and Python numbers alone, as a Python number; that pins the sizes."""

    @property
    def value(self) -> SSAValue:
        """The current SSA value: assignments replace it."""
        if self._view is not None:
            changed = self._view.refresh()
            if changed is not None:
                self._value = changed
        return self._value

    def assign(self, value: SSAValue) -> None:
        """Change the array in place, with everything that it is a view of."""
        if self.argument is not None:
            raise trace_error(
                f"argument '{self.argument}' is changed in place, which would change the caller's array",
                "make a copy first (y = x.copy()), or write x = x + y instead of x += y",
            )
        if self._view is not None:
            self._view.change(value)
        self._value = value

    def as_view(self, base: Tracer, forward: Any, backward: Any) -> Tracer:
        """Mark this as a view of `base`; see `View`."""
        if self.kind == "array":
            self._view = View(base, base.value, forward, backward)
        return self

    # What NumPy calls attributes.

    @property
    def dims(self) -> Shape:
        """The shape as expressions."""
        return shape_of(self.value)

    @property
    def shape(self) -> tuple[Any, ...]:
        return tuple(size_value(self.session, e) for e in self.dims)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.session.dtype(self._value)

    @property
    def ndim(self) -> int:
        return len(self.dims)

    @property
    def size(self) -> Any:
        return size_value(self.session, product_of(self.dims))

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> Any:
        return self.size * self.itemsize

    T: Any = property(lambda self: FUNCTIONS[np.transpose](self))
    mT: Any = property(lambda self: FUNCTIONS[np.swapaxes](self, -1, -2))
    real: Any = property(lambda self: FUNCTIONS[np.real](self))
    imag: Any = property(lambda self: FUNCTIONS[np.imag](self))

    def __len__(self) -> int:
        if not self.dims:
            raise TypeError("len() of unsized object")
        return operator.index(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if not self.dims:
            raise TypeError("iteration over a 0-d array")
        count = self.dims[0].value
        if count is None:
            raise trace_error(
                f"iteration over an axis of open size {self.dims[0]}",
                "use array operations over the whole axis; or `for i in range(x.shape[0])`, "
                "which compiles anew for each size",
            )
        return iter([self[k] for k in range(count)])

    # Operators.

    __add__, __radd__, __iadd__ = binary(np.add)
    __sub__, __rsub__, __isub__ = binary(np.subtract)
    __mul__, __rmul__, __imul__ = binary(np.multiply)
    __truediv__, __rtruediv__, __itruediv__ = binary(np.true_divide)
    __floordiv__, __rfloordiv__, __ifloordiv__ = binary(np.floor_divide)
    __mod__, __rmod__, __imod__ = binary(np.remainder)
    _power, __rpow__, __ipow__ = binary(np.power)
    __and__, __rand__, __iand__ = binary(np.bitwise_and)
    __or__, __ror__, __ior__ = binary(np.bitwise_or)
    __xor__, __rxor__, __ixor__ = binary(np.bitwise_xor)
    __lshift__, __rlshift__, __ilshift__ = binary(np.left_shift)
    __rshift__, __rrshift__, __irshift__ = binary(np.right_shift)
    __matmul__, __rmatmul__, __imatmul__ = binary(np.matmul)
    __lt__, __le__ = binary(np.less)[0], binary(np.less_equal)[0]
    __gt__, __ge__ = binary(np.greater)[0], binary(np.greater_equal)[0]
    __eq__, __ne__ = binary(np.equal)[0], binary(np.not_equal)[0]  # pyright: ignore[reportAssignmentType]
    __neg__, __pos__, __abs__, __invert__ = map(unary, (np.negative, np.positive, np.absolute, np.invert))
    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __pow__(self, exponent: Any) -> Any:
        """As NumPy takes it, where a second power by a Python number is a square: that of bool is int8, not int64."""
        square = self.dtype == np.bool_ and type(exponent) is int and exponent == 2
        return np.square(self) if square else self._power(exponent)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __round__(self, digits: int = 0) -> Any:
        return FUNCTIONS[np.round](self, digits)

    def __getitem__(self, key: Any) -> Any:
        return FUNCTIONS[operator.getitem](self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        FUNCTIONS[operator.setitem](self, key, value)

    # Methods.

    sum, prod, mean, var, std = map(method, (np.sum, np.prod, np.mean, np.var, np.std))
    max, min, any, all, ptp = map(method, (np.max, np.min, np.any, np.all, np.ptp))
    argmax, argmin, cumsum, cumprod = map(method, (np.argmax, np.argmin, np.cumsum, np.cumprod))
    dot, clip, round, take, repeat = map(method, (np.dot, np.clip, np.round, np.take, np.repeat))
    swapaxes, squeeze, ravel, copy = map(method, (np.swapaxes, np.squeeze, np.ravel, np.copy))
    diagonal, trace, argsort, searchsorted = map(method, (np.diagonal, np.trace, np.argsort, np.searchsorted))
    choose, compress, nonzero = map(method, (np.choose, np.compress, np.nonzero))
    reshape, transpose = shape_method(np.reshape), shape_method(np.transpose)
    conj = conjugate = unary(np.conjugate)

    def flatten(self, order: str = "C") -> Any:
        return FUNCTIONS[np.copy](FUNCTIONS[np.ravel](self, order))

    def astype(
        self, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        dtype = np.dtype(dtype)
        if not np.can_cast(self.dtype, dtype, casting):
            raise TypeError(message(f"Cannot cast array data from {self.dtype!r} to {dtype!r} by the rule {casting!r}"))
        if not copy and dtype == self.dtype:
            return self
        return Tracer(self.session, self.session.cast(self.value, dtype), "array" if self.kind == "array" else "scalar")

    def fill(self, value: Any) -> None:
        self[...] = value

    def sort(self, axis: int = -1, **options: Any) -> None:
        self.assign(FUNCTIONS[np.sort](self, axis).value)

    # Uses of the values by Python, which a trace cannot serve.

    __bool__ = as_number(bool, "a condition (if, while, and, or, not, assert)")
    __int__, __float__, __complex__ = (
        as_number(int, "int()"),
        as_number(float, "float(), or assignment into an ordinary array,"),
        as_number(complex, "complex()"),
    )
    __index__ = refuse("an index or count in Python code")
    item, tolist, tobytes = refuse(".item()"), refuse(".tolist()"), refuse(".tobytes()")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.number is not None:
            return np.asarray(self.number(), dtype)
        raise trace_error(
            "a traced array is used where NumPy needs its numbers (np.array, np.asarray, or assignment into an "
            "ordinary array)",
            "leave np.asarray out, join arrays with np.stack or np.concatenate, and make arrays that "
            "are filled later with np.zeros_like(x) or np.zeros(shape, like=x)",
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if hasattr(np.ndarray, name):
            raise unsupported(f"ndarray.{name}")
        raise AttributeError(f"traced arrays have no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<traced {self.dtype} array of shape ({', '.join(map(str, self.dims))})>"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from .ufuncs import METHODS

        return METHODS[method](ufunc, inputs, **options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        meaning: Callable[..., Any] | None = FUNCTIONS.get(function)
        if meaning is None:
            name = f"{getattr(function, '__module__', 'numpy')}.{getattr(function, '__name__', function)}"
            raise unsupported(name)
        return meaning(*args, **kwargs, like=self) if function in CREATORS else meaning(*args, **kwargs)
