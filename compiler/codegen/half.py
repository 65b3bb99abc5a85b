"""float16 where LLVM would call a C runtime that a JIT process need not have.

`HELPERS` are the two conversions that targets without f16c call by name, on the bits of the numbers.
Source of the bit manipulation: F. Giesen, "Half to float done quick" (2012), and the rounding by one floating
addition that goes with it.
"""

from __future__ import annotations

from .writer import FunctionText

HELPERS = """
define float @__extendhfsf2(half %h) {
  %b = bitcast half %h to i16
  %w = zext i16 %b to i32
  %m = and i32 %w, 32767
  %s = shl i32 %m, 13
  %x = bitcast i32 %s to float
  %y = fmul float %x, 0x46F0000000000000
  %special = icmp uge i32 %m, 31744
  %yb = bitcast float %y to i32
  %big = or i32 %yb, 2139095040
  %magnitude = select i1 %special, i32 %big, i32 %yb
  %sign = and i32 %w, 32768
  %signed = shl i32 %sign, 16
  %r = or i32 %magnitude, %signed
  %f = bitcast i32 %r to float
  ret float %f
}
define half @__truncsfhf2(float %f) {
  %b = bitcast float %f to i32
  %a = and i32 %b, 2147483647
  %s = lshr i32 %b, 16
  %sign = and i32 %s, 32768
  %nan = icmp ugt i32 %a, 2139095040
  %huge = icmp uge i32 %a, 1199566848
  %small = icmp ult i32 %a, 947912704
  %af = bitcast i32 %a to float
  %shifted = fadd float %af, 5.000000e-01
  %sb = bitcast float %shifted to i32
  %denormal = sub i32 %sb, 1056964608
  %odd0 = lshr i32 %a, 13
  %odd = and i32 %odd0, 1
  %rebias = add i32 %a, 3355447295
  %rounded = add i32 %rebias, %odd
  %normal = lshr i32 %rounded, 13
  %finite = select i1 %small, i32 %denormal, i32 %normal
  %inf = select i1 %huge, i32 31744, i32 %finite
  %value = select i1 %nan, i32 32256, i32 %inf
  %r = or i32 %value, %sign
  %t = trunc i32 %r to i16
  %h = bitcast i16 %t to half
  ret half %h
}
"""


def narrow_double(w: FunctionText, value: str, lanes: int) -> str:
    """A float64 as a float32 that rounds on to the right float16: rounded to odd, so that no tie is made up.

    Source: S. Boldo, G. Melquiond, "When double rounding is odd" (2005).
    """

    def vector(scalar: str) -> str:
        return scalar if lanes == 1 else f"<{lanes} x {scalar}>"

    def splat(number: int) -> str:
        return str(number) if lanes == 1 else f"splat (i32 {number})"

    single, double, bits, mask = vector("float"), vector("double"), vector("i32"), vector("i1")
    nearest = w.emit(f"fptrunc {double} {value} to {single}")
    back = w.emit(f"fpext {single} {nearest} to {double}")
    inexact = w.emit(f"fcmp one {double} {back}, {value}")
    suffix = "f64" if lanes == 1 else f"v{lanes}f64"
    wide = w.call(double, f"llvm.fabs.{suffix}", [(double, back)])
    exact = w.call(double, f"llvm.fabs.{suffix}", [(double, value)])
    above = w.emit(f"fcmp ogt {double} {wide}, {exact}")
    number = w.emit(f"bitcast {single} {nearest} to {bits}")
    lower = w.emit(f"sub {bits} {number}, {splat(1)}")
    towards_zero = w.emit(f"select {mask} {above}, {bits} {lower}, {bits} {number}")
    odd = w.emit(f"or {bits} {towards_zero}, {splat(1)}")
    chosen = w.emit(f"select {mask} {inexact}, {bits} {odd}, {bits} {number}")
    return w.emit(f"bitcast {bits} {chosen} to {single}")
