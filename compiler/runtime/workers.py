"""Threads that share the blocks of a kernel, as LLVM text: no Python in them, and no C compiler for them.

One pool serves the process. It starts a thread when a kernel first wants it and keeps it: idle ones look for work for
some microseconds and then sleep. One caller at a time has the pool; another one, and a kernel with too little work,
is refused and runs its blocks itself. So nothing waits for another caller, whoever it is. Which thread runs which
block is chance, what a block computes is not.

A child process has no threads after a fork: `loopweld_workers_forget` makes its pool a new one, and a fork that does
not call it is noticed by the process number. `loopweld_workers_stop` ends the threads before their code goes away.
"""

from __future__ import annotations

import ctypes
import sys

MOST = 256
"""Threads of the pool at most."""
SPINS = 400
"""Looks for work, some tens of nanoseconds each, before a thread sleeps."""
THREAD_WORK = 20_000_000
"""Picoseconds of work for each thread beside the caller's: less is not worth sharing with one that looks for work."""
WAKE_WORK = 200_000_000
"""Picoseconds of work, of this call and of those before it that found threads asleep, that are worth waking some: that
takes the caller 3 microseconds, and it may be that no processor is free for them."""

_NEEDED = ("pthread_create", "pthread_join", "pthread_cond_wait", "fegetenv", "fesetenv", "sched_yield", "getpid")
_PAUSE = {"x86_64": ("llvm.x86.sse2.pause", "", ""), "aarch64": ("llvm.aarch64.hint", "i32", "i32 1")}
"""The intrinsic for a moment without work, its parameter and its argument, for each kind of processor."""


def is_supported() -> bool:
    """Whether programs can use several threads here: Linux, where the C library has what the pool needs."""
    if not sys.platform.startswith("linux") or sys.maxsize < 2**32:
        return False
    library = ctypes.CDLL(None)
    return all(hasattr(library, name) for name in _NEEDED)


def text(machine: str) -> str:
    """The pool's code for a kind of processor (`platform.machine()`)."""
    pause, declaration = "", ""
    if machine in _PAUSE:
        name, kind, argument = _PAUSE[machine]
        pause, declaration = f"call void @{name}({argument})", f"declare void @{name}({kind})"
    code = TEXT.replace("{pause}", pause).replace("{declare pause}", declaration)
    for name, number in (("most", MOST), ("spins", SPINS), ("thread work", THREAD_WORK), ("wake work", WAKE_WORK)):
        code = code.replace("{" + name + "}", str(number))
    return code


SHARE = "loopweld_share"
ENTRIES = (SHARE, "loopweld_workers_stop", "loopweld_workers_forget", "loopweld_workers_count")

TEXT = """
; What changes often stands on cache lines of its own.
%pool = type {
  i32, [60 x i8],             ; 0 busy: whether a caller has the pool
  i64, [56 x i8],             ; 2 state: job number << 32 | threads inside << 1 | open
  i64, [56 x i8],             ; 4 next block
  i64, i64, i64, i64, i64,    ; 6 seats taken, 7 sleepers, 8 whether the caller sleeps, 9 threads, 10 stopping
  i32, i32,                   ; 11 process number, 12
  ptr, ptr, i64, i64, i64,    ; 13 function, 14 arguments, 15 blocks, 16 seats, 17 private bytes
  [64 x i8],                  ; 18 floating-point environment of the caller
  [64 x i8], [64 x i8], [64 x i8],    ; 19 mutex, 20 condition: work, 21 condition: done
  [{most} x i64],             ; 22 thread names
  i64                         ; 23 work since threads were woken
}
@pool = internal global %pool zeroinitializer, align 64

declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @sigfillset(ptr)
declare i32 @getpid()
declare i32 @sched_yield()
declare i32 @fegetenv(ptr)
declare i32 @fesetenv(ptr)
declare ptr @aligned_alloc(i64, i64)
declare void @free(ptr)
declare i64 @llvm.smin.i64(i64, i64)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
{declare pause}

; Runs f(arguments, k, private) for each block k below `blocks`; false, and nothing was run, where that is better left
; to the caller.
define i1 @loopweld_share(ptr %f, ptr %arguments, i64 %blocks, i64 %work, i64 %private, i64 %threads) {
entry:
  %paying = udiv i64 %work, {thread work}
  %others = sub i64 %threads, 1
  %rest = sub i64 %blocks, 1
  %a = call i64 @llvm.smin.i64(i64 %others, i64 %paying)
  %b = call i64 @llvm.smin.i64(i64 %a, i64 %rest)
  %seats = call i64 @llvm.smin.i64(i64 %b, i64 {most})
  %some = icmp sgt i64 %seats, 0
  br i1 %some, label %own, label %refused
own:
  %pid.at = getelementptr %pool, ptr @pool, i32 0, i32 11
  %pid = load i32, ptr %pid.at
  %here = call i32 @getpid()
  %same = icmp eq i32 %pid, %here
  br i1 %same, label %take, label %refused
take:
  %taken = cmpxchg ptr @pool, i32 0, i32 1 acquire monotonic
  %free = extractvalue { i32, i1 } %taken, 1
  br i1 %free, label %started, label %refused
started:
  %stopping.at = getelementptr %pool, ptr @pool, i32 0, i32 10
  %stopping = load i64, ptr %stopping.at
  %stopped = icmp ne i64 %stopping, 0
  br i1 %stopped, label %give.up, label %staff
staff:
  %there = call i64 @loopweld_staff(i64 %seats)
  %none = icmp eq i64 %there, 0
  br i1 %none, label %give.up, label %open
give.up:
  store atomic i32 0, ptr @pool release, align 4
  br label %refused
refused:
  ret i1 false
open:
  %f.at = getelementptr %pool, ptr @pool, i32 0, i32 13
  store ptr %f, ptr %f.at
  %arguments.at = getelementptr %pool, ptr @pool, i32 0, i32 14
  store ptr %arguments, ptr %arguments.at
  %blocks.at = getelementptr %pool, ptr @pool, i32 0, i32 15
  store i64 %blocks, ptr %blocks.at
  %seats.at = getelementptr %pool, ptr @pool, i32 0, i32 16
  store i64 %seats, ptr %seats.at
  %private.at = getelementptr %pool, ptr @pool, i32 0, i32 17
  store i64 %private, ptr %private.at
  %environment = getelementptr %pool, ptr @pool, i32 0, i32 18
  %got = call i32 @fegetenv(ptr %environment)
  %next.at = getelementptr %pool, ptr @pool, i32 0, i32 4
  store atomic i64 0, ptr %next.at monotonic, align 8
  %seated.at = getelementptr %pool, ptr @pool, i32 0, i32 6
  store atomic i64 0, ptr %seated.at monotonic, align 8
  %state.at = getelementptr %pool, ptr @pool, i32 0, i32 2
  %last = load atomic i64, ptr %state.at monotonic, align 8
  %number = add i64 %last, 4294967296
  %opened = or i64 %number, 1
  store atomic i64 %opened, ptr %state.at seq_cst, align 8
  %first = call i64 @llvm.smin.i64(i64 %seats, i64 2)
  call void @loopweld_wake_for(i64 %work, i64 %first)
  call void @loopweld_work(ptr %f, ptr %arguments, i64 %blocks, ptr null)
  %closed = atomicrmw and ptr %state.at, i64 -2 seq_cst
  br label %wait
wait:
  %spin = phi i64 [ 0, %open ], [ %spin.next, %again ]
  %state = load atomic i64, ptr %state.at acquire, align 8
  %inside = trunc i64 %state to i32
  %gone = icmp eq i32 %inside, 0
  br i1 %gone, label %done, label %again
again:
  {pause}
  %spin.next = add i64 %spin, 1
  %more = icmp ult i64 %spin.next, 4000
  br i1 %more, label %wait, label %sleep
sleep:
  %mutex = getelementptr %pool, ptr @pool, i32 0, i32 19
  %condition = getelementptr %pool, ptr @pool, i32 0, i32 21
  %sleeps.at = getelementptr %pool, ptr @pool, i32 0, i32 8
  %locked = call i32 @pthread_mutex_lock(ptr %mutex)
  store atomic i64 1, ptr %sleeps.at seq_cst, align 8
  br label %sleep.test
sleep.test:
  %state2 = load atomic i64, ptr %state.at seq_cst, align 8
  %inside2 = trunc i64 %state2 to i32
  %gone2 = icmp eq i32 %inside2, 0
  br i1 %gone2, label %awake, label %sleep.more
sleep.more:
  %waited = call i32 @pthread_cond_wait(ptr %condition, ptr %mutex)
  br label %sleep.test
awake:
  store atomic i64 0, ptr %sleeps.at seq_cst, align 8
  %unlocked = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %done
done:
  store atomic i32 0, ptr @pool release, align 4
  ret i1 true
}

; Starts threads until there are so many; gives how many there are. The caller has the pool.
define internal i64 @loopweld_staff(i64 %wanted) {
entry:
  %every = alloca [32 x i64], align 16
  %before = alloca [32 x i64], align 16
  %count.at = getelementptr %pool, ptr @pool, i32 0, i32 9
  %count = load i64, ptr %count.at
  %enough = icmp sge i64 %count, %wanted
  br i1 %enough, label %there, label %start
there:
  ret i64 %count
start:
  ; Signals are for the threads that Python knows.
  %filled = call i32 @sigfillset(ptr %every)
  %masked = call i32 @pthread_sigmask(i32 2, ptr %every, ptr %before)
  br label %one
one:
  %k = phi i64 [ %count, %start ], [ %k.next, %made ]
  %name.at = getelementptr %pool, ptr @pool, i32 0, i32 22, i64 %k
  %error = call i32 @pthread_create(ptr %name.at, ptr null, ptr @loopweld_worker, ptr null)
  %bad = icmp ne i32 %error, 0
  br i1 %bad, label %end, label %made
made:
  %k.next = add i64 %k, 1
  %more = icmp slt i64 %k.next, %wanted
  br i1 %more, label %one, label %end
end:
  %now = phi i64 [ %k, %one ], [ %k.next, %made ]
  store i64 %now, ptr %count.at
  %restored = call i32 @pthread_sigmask(i32 2, ptr %before, ptr null)
  ret i64 %now
}

; Takes blocks until there are no more.
define internal void @loopweld_work(ptr %f, ptr %arguments, i64 %blocks, ptr %private) {
entry:
  %next.at = getelementptr %pool, ptr @pool, i32 0, i32 4
  br label %take
take:
  %k = atomicrmw add ptr %next.at, i64 1 monotonic
  %some = icmp slt i64 %k, %blocks
  br i1 %some, label %run, label %end
run:
  call void %f(ptr %arguments, i64 %k, ptr %private)
  br label %take
end:
  ret void
}

; Wakes up to so many threads if some sleep and there was work for them often enough. The caller has the pool.
define internal void @loopweld_wake_for(i64 %work, i64 %count) {
entry:
  %sleepers.at = getelementptr %pool, ptr @pool, i32 0, i32 7
  %sleepers = load atomic i64, ptr %sleepers.at seq_cst, align 8
  %some = icmp sgt i64 %sleepers, 0
  br i1 %some, label %add, label %end
add:
  %since.at = getelementptr %pool, ptr @pool, i32 0, i32 23
  %since = load i64, ptr %since.at
  %sum = add i64 %since, %work
  %enough = icmp sge i64 %sum, {wake work}
  %kept = select i1 %enough, i64 0, i64 %sum
  store i64 %kept, ptr %since.at
  br i1 %enough, label %wake, label %end
wake:
  call void @loopweld_wake(i64 %count)
  br label %end
end:
  ret void
}

; Wakes up to so many threads that sleep.
define internal void @loopweld_wake(i64 %count) {
entry:
  %sleepers.at = getelementptr %pool, ptr @pool, i32 0, i32 7
  %sleepers = load atomic i64, ptr %sleepers.at seq_cst, align 8
  %n = call i64 @llvm.smin.i64(i64 %count, i64 %sleepers)
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %lock, label %end
lock:
  %mutex = getelementptr %pool, ptr @pool, i32 0, i32 19
  %condition = getelementptr %pool, ptr @pool, i32 0, i32 20
  %locked = call i32 @pthread_mutex_lock(ptr %mutex)
  %unlocked = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %one
one:
  %k = phi i64 [ 0, %lock ], [ %k.next, %one ]
  %signalled = call i32 @pthread_cond_signal(ptr %condition)
  %k.next = add i64 %k, 1
  %more = icmp slt i64 %k.next, %n
  br i1 %more, label %one, label %end
end:
  ret void
}

; Whether there is a job that the thread has not seen: open, and another number.
define internal i1 @loopweld_is_new(i64 %state, i64 %seen) {
  %number = lshr i64 %state, 32
  %other = icmp ne i64 %number, %seen
  %open = trunc i64 %state to i1
  %new = and i1 %other, %open
  ret i1 %new
}

; The life of a thread.
define internal ptr @loopweld_worker(ptr %nothing) {
entry:
  %state.at = getelementptr %pool, ptr @pool, i32 0, i32 2
  %seated.at = getelementptr %pool, ptr @pool, i32 0, i32 6
  %sleepers.at = getelementptr %pool, ptr @pool, i32 0, i32 7
  %sleeps.at = getelementptr %pool, ptr @pool, i32 0, i32 8
  %stopping.at = getelementptr %pool, ptr @pool, i32 0, i32 10
  %f.at = getelementptr %pool, ptr @pool, i32 0, i32 13
  %arguments.at = getelementptr %pool, ptr @pool, i32 0, i32 14
  %blocks.at = getelementptr %pool, ptr @pool, i32 0, i32 15
  %seats.at = getelementptr %pool, ptr @pool, i32 0, i32 16
  %private.at = getelementptr %pool, ptr @pool, i32 0, i32 17
  %environment = getelementptr %pool, ptr @pool, i32 0, i32 18
  %mutex = getelementptr %pool, ptr @pool, i32 0, i32 19
  %work = getelementptr %pool, ptr @pool, i32 0, i32 20
  %done = getelementptr %pool, ptr @pool, i32 0, i32 21
  br label %idle
idle:
  %seen = phi i64 [ 0, %entry ], [ %seen, %pause ], [ %seen, %awake ], [ %seen, %join ], [ %number, %left ]
  %memory = phi ptr [ null, %entry ], [ %memory, %pause ], [ %memory, %awake ], [ %memory, %join ], [ %kept, %left ]
  %size = phi i64 [ 0, %entry ], [ %size, %pause ], [ %size, %awake ], [ %size, %join ], [ %kept.size, %left ]
  %spin = phi i64 [ 0, %entry ], [ %spin.next, %pause ], [ 0, %awake ], [ 0, %join ], [ 0, %left ]
  %state = load atomic i64, ptr %state.at acquire, align 8
  %new = call i1 @loopweld_is_new(i64 %state, i64 %seen)
  br i1 %new, label %join, label %pause
pause:
  {pause}
  %spin.next = add i64 %spin, 1
  %keep = icmp ult i64 %spin.next, {spins}
  br i1 %keep, label %idle, label %sleep
sleep:
  %locked = call i32 @pthread_mutex_lock(ptr %mutex)
  %asleep = atomicrmw add ptr %sleepers.at, i64 1 seq_cst
  br label %sleep.test
sleep.test:
  %state2 = load atomic i64, ptr %state.at seq_cst, align 8
  %new2 = call i1 @loopweld_is_new(i64 %state2, i64 %seen)
  %stopping = load atomic i64, ptr %stopping.at seq_cst, align 8
  %stop = icmp ne i64 %stopping, 0
  %up = or i1 %new2, %stop
  br i1 %up, label %awake, label %sleep.more
sleep.more:
  %waited = call i32 @pthread_cond_wait(ptr %work, ptr %mutex)
  br label %sleep.test
awake:
  %one.less = atomicrmw sub ptr %sleepers.at, i64 1 seq_cst
  %unlocked = call i32 @pthread_mutex_unlock(ptr %mutex)
  br i1 %stop, label %end, label %idle
end:
  call void @free(ptr %memory)
  ret ptr null
join:
  %with = add i64 %state, 2
  %joined = cmpxchg ptr %state.at, i64 %state, i64 %with seq_cst monotonic
  %in = extractvalue { i64, i1 } %joined, 1
  br i1 %in, label %sit, label %idle
sit:
  %number = lshr i64 %state, 32
  %seat = atomicrmw add ptr %seated.at, i64 1 monotonic
  %seats = load i64, ptr %seats.at
  %place = icmp slt i64 %seat, %seats
  br i1 %place, label %fit, label %leave
fit:
  %private = load i64, ptr %private.at
  %fits = icmp sle i64 %private, %size
  br i1 %fits, label %begin, label %grow
grow:
  call void @free(ptr %memory)
  %larger = call ptr @aligned_alloc(i64 64, i64 %private)
  %failed = icmp eq ptr %larger, null
  br i1 %failed, label %leave, label %begin
begin:
  %memory.new = phi ptr [ %memory, %fit ], [ %larger, %grow ]
  %size.new = phi i64 [ %size, %fit ], [ %private, %grow ]
  %free.seats = sub i64 %seats, %seat
  %follow = sub i64 %free.seats, 1
  %wake = call i64 @llvm.smin.i64(i64 %follow, i64 2)
  call void @loopweld_wake(i64 %wake)
  %set = call i32 @fesetenv(ptr %environment)
  %f = load ptr, ptr %f.at
  %arguments = load ptr, ptr %arguments.at
  %blocks = load i64, ptr %blocks.at
  call void @loopweld_work(ptr %f, ptr %arguments, i64 %blocks, ptr %memory.new)
  br label %leave
leave:
  %kept = phi ptr [ %memory, %sit ], [ null, %grow ], [ %memory.new, %begin ]
  %kept.size = phi i64 [ %size, %sit ], [ 0, %grow ], [ %size.new, %begin ]
  %was = atomicrmw sub ptr %state.at, i64 2 seq_cst
  %state3 = sub i64 %was, 2
  %low = trunc i64 %state3 to i32
  %last = icmp eq i32 %low, 0
  br i1 %last, label %tell, label %left
tell:
  %sleeps = load atomic i64, ptr %sleeps.at seq_cst, align 8
  %waiting = icmp ne i64 %sleeps, 0
  br i1 %waiting, label %signal, label %left
signal:
  %locked2 = call i32 @pthread_mutex_lock(ptr %mutex)
  %signalled = call i32 @pthread_cond_signal(ptr %done)
  %unlocked2 = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %left
left:
  br label %idle
}

; Ends all threads and refuses what comes later.
define void @loopweld_workers_stop() {
entry:
  br label %take
take:
  %taken = cmpxchg ptr @pool, i32 0, i32 1 acquire monotonic
  %free = extractvalue { i32, i1 } %taken, 1
  br i1 %free, label %stop, label %wait
wait:
  %yielded = call i32 @sched_yield()
  br label %take
stop:
  %stopping.at = getelementptr %pool, ptr @pool, i32 0, i32 10
  %count.at = getelementptr %pool, ptr @pool, i32 0, i32 9
  %mutex = getelementptr %pool, ptr @pool, i32 0, i32 19
  %condition = getelementptr %pool, ptr @pool, i32 0, i32 20
  %count = load i64, ptr %count.at
  %locked = call i32 @pthread_mutex_lock(ptr %mutex)
  store atomic i64 1, ptr %stopping.at seq_cst, align 8
  %told = call i32 @pthread_cond_broadcast(ptr %condition)
  %unlocked = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %test
test:
  %k = phi i64 [ 0, %stop ], [ %k.next, %join ]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %join, label %end
join:
  %name.at = getelementptr %pool, ptr @pool, i32 0, i32 22, i64 %k
  %name = load i64, ptr %name.at
  %joined = call i32 @pthread_join(i64 %name, ptr null)
  %k.next = add i64 %k, 1
  br label %test
end:
  store i64 0, ptr %count.at
  store atomic i32 0, ptr @pool release, align 4
  ret void
}

; Makes the pool a new one without threads, for this process.
define void @loopweld_workers_forget() {
  %end = getelementptr %pool, ptr @pool, i32 1
  %bytes = ptrtoint ptr %end to i64
  %start = ptrtoint ptr @pool to i64
  %size = sub i64 %bytes, %start
  call void @llvm.memset.p0.i64(ptr @pool, i8 0, i64 %size, i1 false)
  %pid.at = getelementptr %pool, ptr @pool, i32 0, i32 11
  %pid = call i32 @getpid()
  store i32 %pid, ptr %pid.at
  %mutex = getelementptr %pool, ptr @pool, i32 0, i32 19
  %work = getelementptr %pool, ptr @pool, i32 0, i32 20
  %done = getelementptr %pool, ptr @pool, i32 0, i32 21
  %a = call i32 @pthread_mutex_init(ptr %mutex, ptr null)
  %b = call i32 @pthread_cond_init(ptr %work, ptr null)
  %c = call i32 @pthread_cond_init(ptr %done, ptr null)
  ret void
}

; How many threads there are.
define i64 @loopweld_workers_count() {
  %count.at = getelementptr %pool, ptr @pool, i32 0, i32 9
  %count = load i64, ptr %count.at
  ret i64 %count
}
"""
"""`loopweld_share` is what `blocks.py` calls, through `@loopweld_threads`. A counter gives out one block after the
other; a thread joins a job by counting itself into `state`, which only works while the job is open, and the caller goes
on when the job is closed and nobody is inside: what belongs to a job is never read outside it."""
