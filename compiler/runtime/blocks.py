"""What calls the blocks of a kernel, as LLVM text: made once for the process, so that no program has to hold it."""

ENTRY = "loopweld_blocks"
THREADS = "loopweld_threads"
"""What it is told about threads, see `told`."""

TEXT = """
; Runs f(arguments, k, private) for each block k below `blocks`. `told` holds how many threads the program may use and
; the address of what shares blocks among them, which may refuse (see `workers.py`). The blocks are called in order
; then, with no private memory: that of the kernel's caller is theirs.
define void @loopweld_blocks(ptr %f, ptr %arguments, i64 %blocks, i64 %work, i64 %private, ptr %told) {
entry:
  %threads = load i64, ptr %told
  %several = icmp sgt i64 %threads, 1
  br i1 %several, label %ask, label %test
ask:
  %share.at = getelementptr i64, ptr %told, i64 1
  %share = load ptr, ptr %share.at
  %done = call i1 %share(ptr %f, ptr %arguments, i64 %blocks, i64 %work, i64 %private, i64 %threads)
  br i1 %done, label %end, label %test
test:
  %some = icmp sgt i64 %blocks, 0
  br i1 %some, label %block, label %end
block:
  %k = phi i64 [ 0, %test ], [ %next, %block ]
  call void %f(ptr %arguments, i64 %k, ptr null)
  %next = add nuw nsw i64 %k, 1
  %more = icmp slt i64 %next, %blocks
  br i1 %more, label %block, label %end
end:
  ret void
}
"""
