"""The stand-in for an array while a function is traced: NumPy's operators, methods and protocols."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...dialects.expr import product_of
from ...dialects.weld.types import Shape, shape_of
from .errors import message, needs_value, trace_error, unsupported
from .registry import CREATORS, FUNCTIONS, call_ufunc
from .session import Session
from .symint import size_value
from .views import View


def _binary(ufunc: Any) -> tuple[Any, Any, Any]:
    """`a op b`, `b op a` and `a op= b`."""

    def forward(self: Tracer, other: Any) -> Any:
        if other is None:
            return NotImplemented
        return call_ufunc(ufunc, (self, other), operator=True)

    def reflected(self: Tracer, other: Any) -> Any:
        return call_ufunc(ufunc, (other, self), operator=True)

    def in_place(self: Tracer, other: Any) -> Any:
        if self.kind != "array":
            return call_ufunc(ufunc, (self, other), operator=True)
        return call_ufunc(ufunc, (self, other), out=(self,), operator=True)

    return forward, reflected, in_place


def _unary(ufunc: Any) -> Any:
    def forward(self: Tracer) -> Any:
        return call_ufunc(ufunc, (self,), operator=True)

    return forward


def _method(function: Any) -> Any:
    """The ndarray method that does what a NumPy function does with the array as first argument."""

    def method(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        return FUNCTIONS[function](self, *args, **kwargs)

    return method


def _shape_method(function: Any) -> Any:
    """A method that takes its tuple also as separate arguments: x.reshape(2, 3)."""

    def method(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and (args[0] is None or isinstance(args[0], tuple | list)):
            args = tuple(args[0]) if args[0] is not None else ()
            return FUNCTIONS[function](self, args or None if function is np.transpose else args, **kwargs)
        return FUNCTIONS[function](self, (args or None) if function is np.transpose else args, **kwargs)

    return method


def _refuse(what: str) -> Any:
    def method(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        raise needs_value(what)

    return method


class Tracer:
    """An array of the traced program. `kind` is "array", "scalar" (NumPy scalar) or "python" (weakly typed)."""

    __slots__ = ("_value", "_view", "argument", "kind", "session")
    __array_priority__ = 1000.0

    def __init__(self, session: Session, value: SSAValue, kind: str = "array", argument: str | None = None):
        self.session = session
        self.kind = kind
        self.argument = argument
        self._value = value
        self._view: View | None = None

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

    __add__, __radd__, __iadd__ = _binary(np.add)
    __sub__, __rsub__, __isub__ = _binary(np.subtract)
    __mul__, __rmul__, __imul__ = _binary(np.multiply)
    __truediv__, __rtruediv__, __itruediv__ = _binary(np.true_divide)
    __floordiv__, __rfloordiv__, __ifloordiv__ = _binary(np.floor_divide)
    __mod__, __rmod__, __imod__ = _binary(np.remainder)
    __pow__, __rpow__, __ipow__ = _binary(np.power)
    __and__, __rand__, __iand__ = _binary(np.bitwise_and)
    __or__, __ror__, __ior__ = _binary(np.bitwise_or)
    __xor__, __rxor__, __ixor__ = _binary(np.bitwise_xor)
    __lshift__, __rlshift__, __ilshift__ = _binary(np.left_shift)
    __rshift__, __rrshift__, __irshift__ = _binary(np.right_shift)
    __matmul__, __rmatmul__, __imatmul__ = _binary(np.matmul)
    __lt__, __le__ = _binary(np.less)[0], _binary(np.less_equal)[0]
    __gt__, __ge__ = _binary(np.greater)[0], _binary(np.greater_equal)[0]
    __eq__, __ne__ = _binary(np.equal)[0], _binary(np.not_equal)[0]  # pyright: ignore[reportAssignmentType]
    __neg__, __pos__, __abs__, __invert__ = map(_unary, (np.negative, np.positive, np.absolute, np.invert))
    __hash__ = None  # pyright: ignore[reportAssignmentType]

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

    sum, prod, mean, var, std = map(_method, (np.sum, np.prod, np.mean, np.var, np.std))
    max, min, any, all, ptp = map(_method, (np.max, np.min, np.any, np.all, np.ptp))
    argmax, argmin, cumsum, cumprod = map(_method, (np.argmax, np.argmin, np.cumsum, np.cumprod))
    dot, clip, round, take, repeat = map(_method, (np.dot, np.clip, np.round, np.take, np.repeat))
    swapaxes, squeeze, ravel, copy = map(_method, (np.swapaxes, np.squeeze, np.ravel, np.copy))
    diagonal, trace, argsort, searchsorted = map(_method, (np.diagonal, np.trace, np.argsort, np.searchsorted))
    choose, compress, nonzero = map(_method, (np.choose, np.compress, np.nonzero))
    reshape, transpose = _shape_method(np.reshape), _shape_method(np.transpose)
    conj = conjugate = _unary(np.conjugate)

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

    __bool__ = _refuse("a condition (if, while, and, or, not, assert)")
    __int__, __float__, __complex__ = (
        _refuse("int()"),
        _refuse("float(), or assignment into an ordinary array,"),
        _refuse("complex()"),
    )
    __index__ = _refuse("an index or count in Python code")
    item, tolist, tobytes = _refuse(".item()"), _refuse(".tolist()"), _refuse(".tobytes()")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
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
