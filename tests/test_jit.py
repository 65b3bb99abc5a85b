"""How LLVM is used: others in the process, such as Numba, must not notice."""

import platform

import pytest

from loopweld.compiler.codegen import jit

TEXT = """
define void @f(ptr %a, ptr %b, i64 %n, i64 %k) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %j = add i64 %i, %k
  %from = getelementptr float, ptr %a, i64 %j
  %x = load <16 x float>, ptr %from, align 4
  %to = getelementptr float, ptr %b, i64 %i
  store <16 x float> %x, ptr %to, align 4
  %next = add nsw i64 %i, 16
  %again = icmp slt i64 %next, %n
  br i1 %again, label %loop, label %end
end:
  ret void
}
"""


def emitted() -> bytes:
    """What LLVM makes of it, as anybody would call it."""
    module = jit.parse(TEXT, jit.host())
    jit.optimise(module, jit.host())
    return jit.machine(jit.host()).emit_object(module)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="elsewhere all passes run")
def test_passes_are_skipped_for_vector_loops_alone() -> None:
    before = emitted()
    assert jit.compile_object(TEXT, jit.host()) != before
    assert emitted() == before
    assert jit.compile_object(TEXT, jit.host(), scalar_loops=True) == before
