"""What AVX-512 has an instruction for: tables in registers, exponents, scaling. Elsewhere it takes several, which give
the same bits."""

import math
from dataclasses import dataclass, replace

from .formats import bits_of, hexadecimal
from .text import Body, Int, Vec

REGISTER = 512
"""Bits of a register of AVX-512."""

STEPS = 16
"""Entries of a table: two registers of f64, one of f32."""

HALF = STEPS // 2
"""Entries of f32 in a register of AVX2."""

_SHIFT = STEPS.bit_length() - 1


def _native(body: Body) -> bool:
    """Whether the vectors are whole registers of AVX-512."""
    return body.avx512 and body.lanes * body.format.bits % REGISTER == 0


def _register(body: Body) -> Body:
    """The same on one register."""
    return replace(body, lanes=REGISTER // body.format.bits)


def _shuffle(body: Body, kind: str, lanes: int, a: str, b: str, picked: range) -> str:
    """The lanes `picked` of two vectors of `lanes` one after another."""
    vector, mask = f"<{lanes} x {kind}>", ", ".join(f"i32 {n}" for n in picked)
    return body.output.assign(f"shufflevector {vector} {a}, {vector} {b}, <{len(picked)} x i32> <{mask}>")


def _call(body: Body, name: str, *operands: Vec | Int | tuple[str, str]) -> Vec:
    """`llvm.x86.avx512.NAME.512` for each register; tuples are the type and the text of a constant."""
    one = _register(body)
    function, scalar = f"@llvm.x86.avx512.{name}.512", body.format.llvm
    types = [o[0] if isinstance(o, tuple) else one.float_type if isinstance(o, Vec) else one.int_type for o in operands]
    body.output.declarations.add(f"declare {one.float_type} {function}({', '.join(types)})")
    parts: list[str] = []
    for start in range(0, body.lanes, one.lanes):
        texts: list[str] = []
        for kind, operand in zip(types, operands, strict=True):
            text = operand[1] if isinstance(operand, tuple) else operand.name
            if text[0] == "%" and body.lanes > one.lanes:
                element = scalar if isinstance(operand, Vec) else f"i{body.format.bits}"
                text = _shuffle(body, element, body.lanes, text, "poison", range(start, start + one.lanes))
            texts.append(f"{kind} {text}")
        parts.append(body.output.assign(f"call {one.float_type} {function}({', '.join(texts)})"))
    return Vec(body, _joined(body, parts, one.lanes))


def _joined(body: Body, parts: list[str], lanes: int) -> str:
    """Vectors of so many lanes as one."""
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [_shuffle(body, body.format.llvm, lanes, a, b, range(2 * lanes)) for a, b in pairs]
        lanes *= 2
    return parts[0]


def _masked(body: Body, name: str, *operands: Vec | Int | tuple[str, str]) -> Vec:
    """A call with what masked intrinsics want too: all lanes on, the current rounding."""
    one = _register(body)
    source = () if name == "fixupimm" else ((one.float_type, "poison"),)
    rest = ((f"i{one.lanes}", "-1"), ("i32", "4"))
    return _call(body, f"mask.{name}.{'ps' if body.elem == 'f32' else 'pd'}", *operands, *source, *rest)


def lookup(body: Body, name: str, index: Int) -> Vec:
    """Entry `index` modulo 16 of a table among the constants."""
    return _entry(body, name, body.parts(name), index)


def lookup_rows(body: Body, name: str, index: Int) -> list[Vec]:
    """Entry `index` modulo 16 of each row of a table among the polynomials."""
    entries = body.table(name)
    rows = [entries[k : k + STEPS] for k in range(0, len(entries), STEPS)]
    return [_entry(body, f"{name}{k}", row, index) for k, row in enumerate(rows)]


def _entry(body: Body, name: str, entries: tuple[float, ...], index: Int) -> Vec:
    """Entry `index` modulo 16 of these, which `name` stands for."""
    scalar = body.format.llvm
    assert len(entries) == STEPS
    texts = [f"{scalar} {hexadecimal(e, body.elem)}" for e in entries]
    if _native(body):
        one = _register(body)
        first, *other = (
            (one.float_type, f"<{', '.join(texts[k : k + one.lanes])}>") for k in range(0, STEPS, one.lanes)
        )
        if not other:
            return _call(body, "permvar.sf", first, index)
        return _call(body, "vpermi2var.pd", first, index, *other)
    if body.avx2 and body.elem == "f32" and body.lanes % HALF == 0:
        low, high = (_permuted(body, f"<{', '.join(texts[k : k + HALF])}>", index) for k in (0, HALF))
        return (index & HALF).equals(0).select(low, high)
    return _load(body, name, f"[{STEPS} x {scalar}] [{', '.join(texts)}]", index & (STEPS - 1))


def _permuted(body: Body, table: str, index: Int) -> Vec:
    """Entry `index` modulo 8 of a register of AVX2."""
    one = replace(body, lanes=HALF)
    function = "@llvm.x86.avx2.permps"
    body.output.declarations.add(f"declare {one.float_type} {function}({one.float_type}, {one.int_type})")
    parts: list[str] = []
    for start in range(0, body.lanes, HALF):
        picked = range(start, start + HALF)
        lanes = _shuffle(body, "i32", body.lanes, index.name, "poison", picked) if body.lanes > HALF else index.name
        call = f"call {one.float_type} {function}({one.float_type} {table}, {one.int_type} {lanes})"
        parts.append(body.output.assign(call))
    return Vec(body, _joined(body, parts, HALF))


def _load(body: Body, name: str, array: str, index: Int) -> Vec:
    """The elements of a constant array."""
    constant, scalar, output = f"@{body.symbol}.{name}.{body.elem}", body.format.llvm, body.output
    definition = f"{constant} = internal constant {array}\n"
    if definition not in output.helpers:
        output.helpers.append(definition)
    address = output.assign(f"getelementptr {scalar}, ptr {constant}, {body.int_type} {index.name}")
    if body.lanes == 1:
        return Vec(body, output.assign(f"load {scalar}, ptr {address}"))
    function, places = f"@llvm.masked.gather.{body.suffix}.v{body.lanes}p0", body.vector("ptr")
    output.declarations.add(f"declare {body.float_type} {function}({places}, {body.mask_type}, {body.float_type})")
    operands = (
        f"{places} align {body.format.bits // 8} {address}",
        f"{body.mask_type} {body.splat('i1', 'true')}",
        f"{body.float_type} poison",
    )
    return Vec(body, output.assign(f"call {body.float_type} {function}({', '.join(operands)})"))


@dataclass(frozen=True)
class Steps:
    """n, a multiple of 1/16, |n| < 4 bias; `bits` are those of n + `magic`."""

    body: Body
    n: Vec
    bits: Int

    def halved(self) -> "Steps":
        """n - 1."""
        return Steps(self.body, self.n - 1.0, self.bits - STEPS)

    def scale(self, x: Vec) -> Vec:
        """x * 2^floor(n), rounded once if floor(n) > -2 bias and x is normal."""
        if _native(self.body):
            return _masked(self.body, "scalef", x, self.n)
        form = self.body.format
        whole = (self.bits + (2 * form.bias << _SHIFT)) >> _SHIFT
        half = whole >> 1
        first, second = (half << form.mantissa).as_float(), (whole - half << form.mantissa).as_float()
        return x * first * second

    def shift(self, x: Vec) -> Vec:
        """x * 2^floor(n) for a normal number with a normal product."""
        form = self.body.format
        exponent = (self.bits << (form.mantissa - _SHIFT)) & (-1 << form.mantissa)
        return (x.as_int() + exponent).as_float()


def magic(body: Body) -> float:
    """Added to x, it leaves 16 x rounded to an integer in the low bits."""
    return 1.5 * 2.0**body.format.mantissa / STEPS


def exponent(body: Body, x: Vec) -> Vec:
    """floor(log2 |x|) of a normal number."""
    if _native(body):
        return _masked(body, "getexp", x)
    form = body.format
    field = (x.as_int() << 1) >> (form.mantissa + 1)
    return exponent_value(body, field, 2.0**form.mantissa + form.bias)


def power_of_two(body: Body, k: Vec) -> Vec:
    """2^k for an integer |k| < 2 bias."""
    if _native(body):
        return _masked(body, "scalef", body.const(1.0), k)
    return Steps(body, k, (k + magic(body)).as_int()).scale(body.const(1.0))


@dataclass(frozen=True)
class Mantissa:
    """x = 2^k m; `exponent` is k + bias."""

    m: Vec
    exponent: Int


def mantissa(body: Body, x: Vec, low: float) -> Mantissa:
    """m in [low, 2 low) of a positive normal x."""
    form = body.format
    start = bits_of(low, body.elem)
    biased = x.as_int() + ((form.bias << form.mantissa) - start)
    m = ((biased & ((1 << form.mantissa) - 1)) + start).as_float()
    return Mantissa(m, biased >> form.mantissa)


def exponent_value(body: Body, exponent: Int, offset: Vec | float) -> Vec:
    """A non-negative integer less `offset`, through the bits of 2^mantissa: conversions of i64 are not everywhere."""
    form = body.format
    return (exponent | bits_of(2.0**form.mantissa, body.elem)).as_float() - offset


def normalize(body: Body, x: Vec) -> tuple[Vec, Vec]:
    """k and m in [3/4, 3/2) with x = 2^k m, for x > 0, subnormals included."""
    if _native(body):
        m = _masked(body, "getmant", x, ("i32", "3"))
        return _masked(body, "getexp", x) - _masked(body, "getexp", m), m
    form = body.format
    shift = form.mantissa + 1
    tiny = x < 2.0 ** (1 - form.bias)
    parts = mantissa(body, tiny.select(x * 2.0**shift, x), 0.75)
    offset = 2.0**form.mantissa + form.bias
    return exponent_value(body, parts.exponent, tiny.select(offset + shift, offset)), parts.m


_FIXES = 0x03530422
"""vfixupimm's table: NaN for NaN and what is negative, -inf for zeros, inf for inf, else what is there."""


def fix_logarithm(body: Body, x: Vec, result: Vec) -> Vec:
    """`result`, but the logarithm itself where x is inf, NaN, zero or negative."""
    if _native(body):
        return _masked(body, "fixupimm", result, x, body.int_const(_FIXES), ("i32", "0"))
    regular = (x < math.inf).select(result, x)
    return x.compare("ugt", 0.0).select(regular, x.equals(0.0).select(-math.inf, math.nan))
