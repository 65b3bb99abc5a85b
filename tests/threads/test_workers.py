"""The pool of native threads: many callers at once, forks, the end of the process, idleness."""

import os
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler import threads

pytestmark = pytest.mark.skipif(not threads.is_supported(), reason="one thread only here")

RNG = np.random.default_rng(3)
X = RNG.standard_normal((1500, 400))


def f(x):
    e = np.exp(np.sin(x))
    return e, e.sum(axis=0), e.sum()


def same(a, b):
    return all(p.tobytes() == q.tobytes() for p, q in zip(a, b, strict=True))


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program of its own, with `x` and the jitted `f` of these tests on three threads."""
    start = """
        import os, sys, threading, time
        import numpy as np
        import loopweld as lw
        from loopweld.compiler import threads

        def f(x):
            e = np.exp(np.sin(x))
            return e, e.sum(axis=0), e.sum()

        def same(a, b):
            return all(p.tobytes() == q.tobytes() for p, q in zip(a, b, strict=True))

        x = np.random.default_rng(3).standard_normal((1500, 400))
        g = lw.jit(f, threads=3)
        expected = lw.jit(f, threads=1)(x)
    """
    text = textwrap.dedent(start) + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=120, env=os.environ | environment
    )


def test_threads_are_started_when_they_pay():
    """A small array leaves the pool alone; a large one starts as many as it may use, once."""
    found = run("""
        small = np.ones(100)
        for _ in range(5):
            g(small[:, None])
        print(threads.running())
        for _ in range(5):
            assert same(g(x), expected)
        print(threads.running())
        lw.jit(lambda x: np.cos(np.exp(x)), threads=2)(x)
        print(threads.running())
    """)
    assert found.stdout.split() == ["0", "2", "2"], found.stderr


def test_one_thread_starts_none():
    found = run("g = lw.jit(f, threads=1); g(x); print(threads.running())")
    assert found.stdout.split() == ["0"], found.stderr
    found = run("lw.jit(f)(x); print(threads.running())", LOOPWELD_NUM_THREADS="1")
    assert found.stdout.split() == ["0"], found.stderr


def test_many_callers():
    """Python threads that call at once, also one program with its own scratch memory, disturb nobody."""

    def rows(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True), e.argmax(axis=0)

    programs = [lw.jit(f, threads=3), lw.jit(rows, threads=2)]
    inputs = [X + k for k in range(4)]
    expected = [[lw.jit(p, threads=1)(x) for x in inputs] for p in (f, rows)]
    wrong: list[object] = []

    def work(number: int) -> None:
        for k in range(12):
            which = (number + k) % 2
            x = inputs[(number * 5 + k) % 4]
            if not same(programs[which](x), expected[which][(number * 5 + k) % 4]):
                wrong.append((number, k))

    callers = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


@pytest.mark.parametrize("from_thread", [False, True])
def test_fork(from_thread: bool):
    """A child has no threads of the parent's pool, and makes a pool of its own when it needs one."""
    found = run(f"""
        assert same(g(x), expected)

        def child():
            before = threads.running()
            good = same(g(x), expected) and same(g(x), expected)
            os._exit(0 if good and before == 0 and threads.running() == 2 else 1)

        def forked():
            pid = os.fork()
            if pid == 0:
                child()
            assert same(g(x), expected)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

        for _ in range(3):
            if {from_thread}:
                other = threading.Thread(target=forked)
                other.start()
                assert same(g(x), expected)
                other.join()
            else:
                forked()
        assert same(g(x), expected)
        print("end")
    """)
    assert found.stdout.split() == ["0", "0", "0", "end"], found.stderr


def test_fork_while_others_run():
    """The pool of a child is whole, whatever the parent's threads were doing."""
    found = run("""
        g(x)
        stop = []

        def work():
            while not stop:
                assert same(g(x), expected)

        others = [threading.Thread(target=work) for _ in range(2)]
        for other in others:
            other.start()
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                os._exit(0 if same(g(x), expected) else 1)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        stop.append(1)
        for other in others:
            other.join()
    """)
    assert found.stdout.split() == ["0"] * 5, found.stderr


def test_fork_while_others_compile():
    """A child compiles and runs, whatever the parent's threads were compiling."""
    found = run("""
        small = np.ones(10)
        g(x)
        stop = []

        def work(k):
            while not stop:
                k += 2
                h = lw.jit(lambda x: np.exp(x) * k)
                for _ in range(5):
                    h(small)

        others = [threading.Thread(target=work, args=(k,)) for k in range(2)]
        for other in others:
            other.start()
        for k in range(10):
            pid = os.fork()
            if pid == 0:
                h = lw.jit(lambda x: x + k)
                os._exit(0 if all((h(small) == k + 1).all() for _ in range(5)) else 1)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        stop.append(1)
        for other in others:
            other.join()
    """)
    assert found.stdout.split() == ["0"] * 10, found.stderr


def test_fork_unknown_to_python():
    """A child that Python was not told of runs its blocks itself."""
    found = run("""
        import ctypes
        assert same(g(x), expected)
        pid = ctypes.PyDLL(None).fork()
        if pid == 0:
            os._exit(0 if same(g(x), expected) else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """)
    assert found.stdout.split() == ["0"], found.stderr


@pytest.mark.parametrize(
    "end",
    [
        "pass",
        "sys.exit(0)",
        "import atexit; atexit.register(lambda: print(same(g(x), expected)))",
        "threading.Thread(target=lambda: [g(x) for _ in range(50)]).start()",
        "threading.Thread(target=lambda: [g(x) for _ in range(10**6)], daemon=True).start(); time.sleep(0.05)",
    ],
)
def test_the_end_of_the_process(end: str):
    """The threads are gone before their code is: with sleeping ones, spinning ones, and callers that go on."""
    found = run(f"g(x)\ntime.sleep(0.02)\ng(x)\n{end}")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.strip() in ("", "True")


def test_little_work_wakes_threads_seldom():
    """Calls of 50 microseconds of work, each after a pause in which the other threads fall asleep."""
    found = run("""
        def switches():
            tasks = [task for task in os.listdir("/proc/self/task") if int(task) != os.getpid()]
            lines = [line for task in tasks for line in open(f"/proc/self/task/{task}/status")]
            return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))

        h, y = lw.jit(lambda y: y * 2 + 1, threads=2), np.zeros(650_000, np.float32)
        before = 0
        for k in range(30):
            if k == 10:
                before = switches()
            h(y)
            time.sleep(0.005)
        print(threads.running(), switches() - before)
    """)
    assert found.returncode == 0, found.stderr
    count, woken = map(int, found.stdout.split())
    assert count == 1 and woken <= 8


def test_idle_threads_sleep():
    """After a call the pool costs no processor time."""
    g = lw.jit(f, threads=3)
    g(X)
    g(X)
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.4)
    assert time.process_time() - before < 0.1


def test_signals_reach_python():
    """Native threads take no signals: an alarm interrupts the main thread."""
    found = run("""
        import signal
        g(x)
        signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        start = time.monotonic()
        signal.pause()
        print(time.monotonic() - start < 5)
    """)
    assert found.stdout.split() == ["alarm", "True"], found.stderr


def test_the_callers_floating_point_environment_counts():
    """Rounding towards zero in the caller is rounding towards zero in every block."""
    found = run("""
        import ctypes, ctypes.util
        library = ctypes.CDLL(ctypes.util.find_library("m"))
        h = lambda x: x / 3
        one, three = lw.jit(h, threads=1), lw.jit(h, threads=3)
        big = np.random.default_rng(0).standard_normal(3_000_000)
        nearest = one(big)
        three(big)
        library.fesetround(0xC00)
        cut, shared = one(big), three(big)
        library.fesetround(0)
        print(np.array_equal(cut, shared), np.array_equal(cut, nearest), threads.running())
    """)
    if os.uname().machine == "x86_64":
        assert found.stdout.split() == ["True", "False", "2"], found.stderr
