"""Elementwise ops and casts as LLVM instructions, from the `llvm` facts of the op classes."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Attribute

from ...dialects.loop.ops import lanes_of
from ...dialects.weld.base import Elementwise
from ...dialects.weld.types import F16, F32, F64, bit_width, byte_width, kind_of, scalar_of
from .half import narrow_double
from .types import constant_text, scalar_text, suffix, type_text, vector_text
from .writer import FunctionText

FAST = "nsz"
"""Flags of floating arithmetic under numerics "fast". Sums are reordered by us, in an order of our own, and
never by LLVM: `reassoc` would let it undo compensated arithmetic of the user's, `arcp` and `afn` would use
estimates that are wrong at infinities, and `contract` would round a value differently where it is computed again:
`weld.mul_add` says which products are not rounded."""


def elementwise_text(w: FunctionText, op: Elementwise, args: list[str], flags: str) -> str:
    """The instruction (or call) of one op on scalars or vectors; returns the value's name."""
    kind = op.operands[-1].type
    element = scalar_of(kind)
    how = type(op).llvm[kind_of(element)]
    text, lanes = type_text(kind), lanes_of(kind)
    if how == "select":
        mask = type_text(op.operands[0].type)
        chosen = _opaque(w, args[0], REGISTER // byte_width(element)) if args[0].startswith("<") else args[0]
        return w.emit(f"select {mask} {chosen}, {text} {args[1]}, {text} {args[2]}")
    word, _, rest = how.partition(" ")
    if word == "math":
        symbol = w.module.math(rest, "f32" if element == F32 else "f64", lanes)
        return w.emit(f"call {text} @{symbol}({', '.join(f'{text} {a}' for a in args)})")
    if word == "libm":
        return _per_lane(w, rest + ("f" if element == F32 else ""), scalar_text(element), lanes, args)
    if word == "scipy":
        return _scipy(w, rest, element, lanes, args)
    if word[0] == "@":
        name = f"{word[1:]}.{suffix(scalar_text(element), lanes)}"
        return w.call(text, name, [(text, a) for a in args])
    if word in ("icmp", "fcmp"):
        right = args[1] if len(args) > 1 else args[0]
        return w.emit(f"{how} {text} {args[0]}, {right}")
    if word == "fneg":
        return w.emit(f"fneg {text} {args[0]}")
    space = f" {flags}" if flags and word in ("fadd", "fsub", "fmul", "fdiv") else ""
    return w.emit(f"{word}{space} {text} {args[0]}, {args[1]}")


REGISTER = 64
"""Bytes of a register of AVX-512."""


def _opaque(w: FunctionText, mask: str, width: int) -> str:
    """A constant mask that LLVM does not see through, since it is read from memory that might change, if it chooses
    some of a register's `width` lanes.

    LLVM 22 makes a select of zeros by a constant mask a shuffle, and of that a `vexpandpd`, behind which a masked store
    takes 20 cycles (Zen 4). Where it chooses whole registers, and without AVX-512, constants are best.
    """
    chosen = [lane == "i1 true" for lane in mask.strip("<>").split(", ")]
    lanes = len(chosen)
    if not w.module.avx512 or all(len(set(chosen[k : k + width])) == 1 for k in range(0, lanes, width)):
        return mask
    bits = sum(1 << k for k, lane in enumerate(chosen) if lane)
    w.module.declare(f"@mask.{lanes}.{bits} = internal global i{lanes} {bits}")
    word = w.at_entry(f"load i{lanes}, ptr @mask.{lanes}.{bits}")
    return w.at_entry(f"bitcast i{lanes} {word} to <{lanes} x i1>")


SCIPY = "loopweld_scipy_"
"""What the names of SciPy's functions start with; the loader knows their addresses."""


def _scipy(w: FunctionText, name: str, element: Attribute, lanes: int, args: list[str]) -> str:
    """A function of SciPy's in double precision. Its last argument is Cython's: 0."""
    text, wide = vector_text(scalar_text(element), lanes), vector_text("double", lanes)
    if element != F64:
        args = [w.emit(f"fpext {text} {a} to {wide}") for a in args]
    value = _per_lane(w, SCIPY + name, "double", lanes, args, [("i32", "0")])
    return value if element == F64 else w.emit(f"fptrunc {wide} {value} to {text}")


def _per_lane(
    w: FunctionText, symbol: str, scalar: str, lanes: int, args: list[str], more: Sequence[tuple[str, str]] = ()
) -> str:
    """A C function called for each lane."""
    if lanes == 1:
        return w.call(scalar, symbol, [*((scalar, a) for a in args), *more])
    vector = vector_text(scalar, lanes)
    total = "poison"
    for lane in range(lanes):
        parts = [w.emit(f"extractelement {vector} {a}, i64 {lane}") for a in args]
        value = w.call(scalar, symbol, [*((scalar, p) for p in parts), *more])
        total = w.emit(f"insertelement {vector} {total}, {scalar} {value}, i64 {lane}")
    return total


def cast_text(w: FunctionText, value: str, source: Attribute, target: Attribute) -> str:
    """A conversion with NumPy's meaning; out of range and NaN give an integer's least value, as x86 does."""
    a, b = scalar_of(source), scalar_of(target)
    ka, kb = kind_of(a), kind_of(b)
    before, after = type_text(source), type_text(target)
    zero = constant_text(0, source)
    if kb == "b":
        return w.emit(f"{'fcmp une' if ka == 'f' else 'icmp ne'} {before} {value}, {zero}")
    if a == F64 and b == F16:
        single = narrow_double(w, value, lanes_of(source))
        return w.emit(f"fptrunc {vector_text('float', lanes_of(source))} {single} to {after}")
    if a == F16 and b == F64:
        single = w.emit(f"fpext {before} {value} to {vector_text('float', lanes_of(source))}")
        return w.emit(f"fpext {vector_text('float', lanes_of(source))} {single} to {after}")
    if ka == "f" and kb == "f":
        word = "fpext" if bit_width(b) > bit_width(a) else "fptrunc"
        return w.emit(f"{word} {before} {value} to {after}")
    if ka == "f":
        return _float_to_int(w, value, source, target)
    if kb == "f":
        word = "sitofp" if ka == "i" else "uitofp"
        return w.emit(f"{word} {before} {value} to {after}")
    if bit_width(a) == bit_width(b):
        return value
    word = "trunc" if bit_width(b) < bit_width(a) else "sext" if ka == "i" else "zext"
    return w.emit(f"{word} {before} {value} to {after}")


def _float_to_int(w: FunctionText, value: str, source: Attribute, target: Attribute) -> str:
    """Through a signed integer wide enough for the type (int32 for 8 and 16 bits), then cut off as C does."""
    element, lanes = scalar_of(target), lanes_of(target)
    bits, unsigned = bit_width(element), kind_of(element) == "u"
    wide = 32 if bits < 32 or (bits == 32 and not unsigned) else 64
    before, middle = type_text(source), vector_text(f"i{wide}", lanes)
    low, high = constant_text(-(2.0 ** (wide - 1)), source), constant_text(2.0 ** (wide - 1), source)
    mask = vector_text("i1", lanes)
    above = w.emit(f"fcmp oge {before} {value}, {low}")
    below = w.emit(f"fcmp olt {before} {value}, {high}")
    inside = w.emit(f"and {mask} {above}, {below}")
    number = w.emit(f"fptosi {before} {value} to {middle}")
    least = f"{-(2 ** (wide - 1))}"
    blank = least if lanes == 1 else f"splat (i{wide} {least})"
    number = w.emit(f"select {mask} {inside}, {middle} {number}, {middle} {blank}")
    if bits == 64 and unsigned:
        above = w.emit(f"fcmp oge {before} {value}, {high}")
        fits = w.emit(f"fcmp olt {before} {value}, {constant_text(2.0**64, source)}")
        big = w.emit(f"and {mask} {above}, {fits}")
        lower = w.emit(f"fsub {before} {value}, {high}")
        rest = w.emit(f"fptosi {before} {lower} to {middle}")
        flipped = w.emit(f"xor {middle} {rest}, {blank}")
        number = w.emit(f"select {mask} {big}, {middle} {flipped}, {middle} {number}")
    if bits < wide:
        number = w.emit(f"trunc {middle} {number} to {type_text(target)}")
    return number
