"""Reduction of huge angles modulo pi / 2: the slow path of sin, cos and tan.

Payne and Hanek (1983): of the bits of 2 / pi only the 192 that matter for the exponent are multiplied with the
53-bit mantissa, modulo 4 quadrants. 126 bits of the fraction remain, and no f64 is closer to a multiple of pi / 2
than about 2^-62 of one (Muller, Elementary Functions, 11.3), so the result has full precision.
"""

import math

from .coefficients import CONSTANTS, TWO_OVER_PI
from .formats import FORMATS, hexadecimal
from .text import Body, Int, Mask, Vec

_SCALAR = """define internal {{ double, double, i64 }} @{name}.angle(double %x) noinline nounwind {{
  %magnitude = call double @llvm.fabs.f64(double %x)
  %bits = bitcast double %magnitude to i64
  %field = lshr i64 %bits, 52
  %fraction = and i64 %bits, 4503599627370495
  %m = or i64 %fraction, 4503599627370496
  %position = sub i64 %field, 1013
  %positive = call i64 @llvm.smax.i64(i64 %position, i64 0)
  %start = call i64 @llvm.smin.i64(i64 %positive, i64 1087)
  %word = lshr i64 %start, 6
  %shift = and i64 %start, 63
  %p0 = getelementptr i64, ptr @{name}.bits, i64 %word
  %p1 = getelementptr i64, ptr %p0, i64 1
  %p2 = getelementptr i64, ptr %p0, i64 2
  %p3 = getelementptr i64, ptr %p0, i64 3
  %t0 = load i64, ptr %p0
  %t1 = load i64, ptr %p1
  %t2 = load i64, ptr %p2
  %t3 = load i64, ptr %p3
  %a0 = call i64 @llvm.fshl.i64(i64 %t0, i64 %t1, i64 %shift)
  %a1 = call i64 @llvm.fshl.i64(i64 %t1, i64 %t2, i64 %shift)
  %a2 = call i64 @llvm.fshl.i64(i64 %t2, i64 %t3, i64 %shift)
  %m128 = zext i64 %m to i128
  %high = mul i64 %a0, %m
  %high128 = zext i64 %high to i128
  %high.at = shl i128 %high128, 64
  %a1.128 = zext i64 %a1 to i128
  %middle = mul i128 %a1.128, %m128
  %a2.128 = zext i64 %a2 to i128
  %low = mul i128 %a2.128, %m128
  %low.at = lshr i128 %low, 64
  %sum = add i128 %high.at, %middle
  %product = add i128 %sum, %low.at
  %quadrants.2 = lshr i128 %product, 125
  %rounded = add i128 %quadrants.2, 1
  %nearest = lshr i128 %rounded, 1
  %quadrant = trunc i128 %nearest to i64
  %rest = shl i128 %product, 2
  %rest.high128 = lshr i128 %rest, 64
  %rest.high = trunc i128 %rest.high128 to i64
  %rest.low = trunc i128 %rest to i64
  %i0 = ashr i64 %rest.high, 32
  %i1 = and i64 %rest.high, 4294967295
  %i2 = lshr i64 %rest.low, 32
  %i3 = and i64 %rest.low, 4294967295
  %d0 = sitofp i64 %i0 to double
  %d1 = sitofp i64 %i1 to double
  %d2 = sitofp i64 %i2 to double
  %d3 = sitofp i64 %i3 to double
  %f0 = fmul double %d0, {s32}
  %f1 = fmul double %d1, {s64}
  %f2 = fmul double %d2, {s96}
  %f3 = fmul double %d3, {s128}
  %top = fadd double %f0, %f1
  %top.back = fsub double %top, %f0
  %top.lost = fsub double %f1, %top.back
  %below = fadd double %f2, %f3
  %tail = fadd double %top.lost, %below
  %turn = fadd double %top, %tail
  %turn.back = fsub double %turn, %top
  %turn.lost = fsub double %tail, %turn.back
  %r = fmul double %turn, {pi0}
  %minus.r = fneg double %r
  %r.lost = call double @llvm.fma.f64(double %turn, double {pi0}, double %minus.r)
  %c0 = call double @llvm.fma.f64(double %turn, double {pi1}, double %r.lost)
  %c = call double @llvm.fma.f64(double %turn.lost, double {pi0}, double %c0)
  %r.hi = fadd double %r, %c
  %r.back = fsub double %r.hi, %r
  %r.lo = fsub double %c, %r.back
  %negative = fcmp olt double %x, 0.0
  %n.hi = fneg double %r.hi
  %n.lo = fneg double %r.lo
  %n.quadrant = sub i64 0, %quadrant
  %out.hi = select i1 %negative, double %n.hi, double %r.hi
  %out.lo = select i1 %negative, double %n.lo, double %r.lo
  %out.quadrant = select i1 %negative, i64 %n.quadrant, i64 %quadrant
  %s0 = insertvalue {{ double, double, i64 }} poison, double %out.hi, 0
  %s1 = insertvalue {{ double, double, i64 }} %s0, double %out.lo, 1
  %s2 = insertvalue {{ double, double, i64 }} %s1, i64 %out.quadrant, 2
  ret {{ double, double, i64 }} %s2
}}
"""

_LOOP = """define internal void @{name}.angles(ptr %hi, ptr %lo, ptr %quadrant) noinline nounwind {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %p.hi = getelementptr {scalar}, ptr %hi, i64 %i
  %p.lo = getelementptr {scalar}, ptr %lo, i64 %i
  %p.q = getelementptr {int}, ptr %quadrant, i64 %i
  %e = load {scalar}, ptr %p.hi
{one}
  store {scalar} %e.hi, ptr %p.hi
  store {scalar} %e.lo, ptr %p.lo
  store {int} %e.q, ptr %p.q
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, {lanes}
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""

_ONE_F64 = """  %r = call {{ double, double, i64 }} @{name}.angle(double {x})
  %e.hi = extractvalue {{ double, double, i64 }} %r, 0
  %e.lo = extractvalue {{ double, double, i64 }} %r, 1
  %e.q = extractvalue {{ double, double, i64 }} %r, 2"""

_ONE_F32 = """  %e.wide = fpext float {x} to double
  %r = call {{ double, double, i64 }} @{name}.angle(double %e.wide)
  %r.hi = extractvalue {{ double, double, i64 }} %r, 0
  %e.hi = fptrunc double %r.hi to float
  %e.back = fpext float %e.hi to double
  %e.rest = fsub double %r.hi, %e.back
  %e.lo = fptrunc double %e.rest to float
  %r.q = extractvalue {{ double, double, i64 }} %r, 2
  %e.q = trunc i64 %r.q to i32"""

_INTRINSICS = (
    "declare double @llvm.fabs.f64(double)",
    "declare double @llvm.fma.f64(double, double, double)",
    "declare i64 @llvm.smax.i64(i64, i64)",
    "declare i64 @llvm.smin.i64(i64, i64)",
    "declare i64 @llvm.fshl.i64(i64, i64, i64)",
)


_ALIGN = 16
"""Of the buffers: less than a wide vector's own, which would realign the caller's stack."""


def _helpers(body: Body) -> str:
    """The table, the reduction of one angle and the loop over a buffer of them, named after the function's symbol."""
    words = ", ".join(f"i64 {w}" for w in TWO_OVER_PI)
    table = f"@{body.symbol}.bits = internal constant [{len(TWO_OVER_PI)} x i64] [{words}]\n"
    pi = CONSTANTS["half_pi.f64"]
    scalar = _SCALAR.format(
        name=body.symbol,
        pi0=hexadecimal(pi[0], "f64"),
        pi1=hexadecimal(pi[1], "f64"),
        **{f"s{n}": hexadecimal(2.0**-n, "f64") for n in (32, 64, 96, 128)},
    )
    if body.lanes == 1:
        return table + scalar
    form = FORMATS[body.elem]
    one = _one(body, "%e")
    return (
        table
        + scalar
        + _LOOP.format(name=body.symbol, scalar=form.llvm, int=f"i{form.bits}", lanes=body.lanes, one=one)
    )


def _one(body: Body, x: str) -> str:
    """Instructions that reduce the scalar x to %e.hi, %e.lo and %e.q."""
    return (_ONE_F64 if body.elem == "f64" else _ONE_F32).format(name=body.symbol, x=x)


def _slow_lanes(body: Body, x: Vec) -> tuple[Vec, Vec, Int]:
    """All lanes reduced by the slow path: through memory, so that little code stands where this is inlined."""
    output = body.output
    if body.lanes == 1:
        output.lines.append(_one(body, x.name))
        return Vec(body, "%e.hi"), Vec(body, "%e.lo"), Int(body, "%e.q")
    types = (body.float_type, body.float_type, body.int_type)
    buffers = [f"%{body.symbol}.{part}" for part in ("hi", "lo", "quadrant")]
    allocations = [f"  {p} = alloca {t}, align {_ALIGN}" for p, t in zip(buffers, types, strict=True)]
    output.lines[:0] = allocations  # at the entry, where inlining moves them out of loops
    output.lines += [
        f"  store {body.float_type} {x.name}, ptr {buffers[0]}, align {_ALIGN}",
        f"  call void @{body.symbol}.angles({', '.join(f'ptr {p}' for p in buffers)})",
    ]
    hi, lo, quadrant = (
        output.assign(f"load {t}, ptr {p}, align {_ALIGN}") for p, t in zip(buffers, types, strict=True)
    )
    return Vec(body, hi), Vec(body, lo), Int(body, quadrant)


def replace_huge(body: Body, x: Vec, huge: Mask, fast: tuple[Vec, Vec, Int]) -> tuple[Vec, Vec, Int]:
    """(r, its rest, quadrant) of x >= 0 with the lanes in `huge` from the slow path, which is skipped if there are
    none; inf stays as it is."""
    output = body.output
    output.helpers.append(_helpers(body))
    output.declarations.update(_INTRINSICS)
    some = huge.name
    if body.lanes > 1:
        function = f"@llvm.vector.reduce.or.v{body.lanes}i1"
        output.declarations.add(f"declare i1 {function}({body.mask_type})")
        some = output.assign(f"call i1 {function}({body.mask_type} {huge.name})")
    output.lines += [f"  br i1 {some}, label %huge, label %merge", "huge:"]
    slow = _slow_lanes(body, x)
    huge = huge & (x < math.inf)
    chosen = (
        huge.select(slow[0], fast[0]).name,
        huge.select(slow[1], fast[1]).name,
        huge.select_int(slow[2], fast[2]).name,
    )
    output.lines += ["  br label %merge", "merge:"]
    types = (body.float_type, body.float_type, body.int_type)
    merged = [
        output.assign(f"phi {t} [ {f.name}, %entry ], [ {c}, %huge ]")
        for t, f, c in zip(types, fast, chosen, strict=True)
    ]
    return Vec(body, merged[0]), Vec(body, merged[1]), Int(body, merged[2])
