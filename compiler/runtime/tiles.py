"""Products of matrices in tiles of registers, as LLVM text.

A block of the result, some rows in some columns, is one piece of work for a thread. For a stretch of `k` at a time it
goes through its panels, as many columns as two registers hold: the panel's part of `b` is packed, and multiplied by
twelve rows of `a` at a time (six where registers are few), whose sums stay in registers. The panel stays in the L1
cache, the rows in L2; the next panel's part of `b` comes there meanwhile. Each sum takes its products in the order of
`k`, a stretch at a time, so that no bit depends on the blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from .blocks import ENTRY, THREADS
from .shim_text import load_places, load_table
from .vector_text import TYPES, VectorText

WORDS = (
    *("count", "step.a", "step.b", "step.c", "m", "n", "k", "a.row", "a.column", "b.row", "b.column", "c.row"),
    *("row.blocks", "column.blocks", "copies", "bytes", "work"),
)
"""The table: how many products and the bytes from one to the next; sizes; bytes between elements, which are dense in
the rows of `c` and in rows or columns of `b`; into how many parts rows and columns are divided; whether blocks of `a`
are copied; bytes of memory for a thread; picoseconds of work."""
KIND = "tiles"
REGISTERS = 2
"""Registers of a panel's row."""
STRETCH = 256
"""Rows of a panel."""
PANEL = STRETCH * REGISTERS * 64
"""Bytes of a panel."""
LINE, GAP = 64, 128
"""Bytes of a cache line, and by how many lines of a copy are longer, so that they have different places in caches."""
BLOCK_SIZES = ((384, 512, 16), (192, 256, 6), (96, 256, 6), (96, 128, 6), (48, 64, 0))
"""Rows and columns of a block, the largest ones first, and how many there must be, so that threads are busy to the end.
To pack the columns takes little time beside their products with many rows."""
MOST_HEIGHT = 12
"""Rows of a tile."""
PAGE = 4096
"""Bytes. Lines that are multiples of it apart have one place in an L1 cache, where a tile's rows find no room."""
PICOSECONDS = {"f4": 20, "f8": 40}
"""A multiplication and addition."""


def blocks_of(count: int, m: int, n: int) -> tuple[int, int]:
    """Into how many parts the rows and the columns of each product are divided."""
    sizes = [(-(-m // rows), -(-n // columns), enough) for rows, columns, enough in BLOCK_SIZES]
    return next((rows, columns) for rows, columns, enough in sizes if count * rows * columns >= enough)


def table_of(
    dtype: str, count: int, steps: Sequence[int], sizes: Sequence[int], strides: Sequence[int]
) -> tuple[int, ...]:
    """The table for sizes `m`, `n`, `k`; steps and strides in bytes."""
    (m, n, k), size = sizes, TYPES[dtype][1]
    parts = blocks_of(count, m, n)
    near, far = sorted(strides[:2])
    copies = near == size and far % PAGE == 0
    rows, length = min(-(-m // parts[0]) + 2 * MOST_HEIGHT, m), min(k, STRETCH)
    copied = max(x * (y * size + GAP) for x, y in ((rows, length), (length, rows)))
    work = count * m * n * k * PICOSECONDS[dtype]
    bytes_ = PANEL + -(-copied // LINE) * LINE * copies
    return (count, *steps, *sizes, *strides, *parts, int(copies), bytes_, work)


def text(dtype: str, registers: tuple[int, int]) -> str:
    """The shim `void loopweld_tiles_f4(ptr places, ptr table)`, for so many registers of so many bytes: `c = a @ b`."""
    return _Tiles(dtype, registers).text()


_PACK = "(ptr %b, ptr %panel, i64 %row, i64 %column, i64 %k, i64 %left)"
_TILE = (
    "(ptr %a, i64 %row, i64 %column, ptr %panel, i64 %k, ptr %c, i64 %c.row, i64 %left, i1 %first, ptr %ahead, "
    "i64 %step)"
)


class _Tiles(VectorText):
    def __init__(self, dtype: str, registers: tuple[int, int]):
        super().__init__(dtype, registers[1])
        self.heights = (MOST_HEIGHT, 4, 1) if registers[0] == 32 else (6, 3, 1)
        """Rows of tiles: the largest ones have their sums, and what they multiply, in all registers."""
        self.width = REGISTERS * self.lanes
        self.row_bytes = REGISTERS * self.bytes

    def text(self) -> str:
        tiles = [(height, registers) for height in self.heights for registers in (REGISTERS, 1)]
        return "\n".join(
            [
                f"declare void @{ENTRY}(ptr, ptr, i64, i64, i64, ptr)\n@{THREADS} = external global [2 x i64]",
                "declare ptr @malloc(i64)\ndeclare void @free(ptr)",
                self.function(f"void @loopweld_tiles_{self.dtype}(ptr %places, ptr %table)", self.entry),
                self.function("internal void @block(ptr %arguments, i64 %block, ptr %private)", self.run_block),
                self.function(f"internal void @pack.rows{_PACK}", self.pack_rows),
                self.function(f"internal void @pack.columns{_PACK}", self.pack_columns),
                *(self.function(f"internal void @tile.{h}.{r}{_TILE}", partial(self.tile, h, r)) for h, r in tiles),
            ]
        )

    def entry(self) -> None:
        """A panel is on the stack; copies are too large for the stacks of some threads. Without memory for them, `a`
        is read where it is."""
        self.lines += load_table(WORDS).splitlines()
        self.line(f"%here = alloca [{PANEL} x i8], align {LINE}")
        self.line("%arguments = alloca [4 x ptr]")
        self.line("%copying = icmp ne i64 %copies, 0")
        self.line("br i1 %copying, label %more, label %call")
        self.start("more")
        self.line(f"%there = call ptr @malloc(i64 {self.emit(f'add i64 %bytes, {LINE}')})")
        self.line("br label %call")
        self.start("call")
        self.line("%memory = phi ptr [ null, %entry ], [ %there, %more ]")
        self.line("%none = icmp eq ptr %memory, null")
        address = self.emit("ptrtoint ptr %memory to i64")
        whole = self.emit(f"and i64 {self.emit(f'add i64 {address}, {LINE - 1}')}, -{LINE}")
        self.line(f"%own = select i1 %none, ptr %here, ptr {self.emit(f'inttoptr i64 {whole} to ptr')}")
        for k, value in enumerate(("%places", "%table", "%own", "%memory")):
            self.line(f"store ptr {value}, ptr {self.emit(f'getelementptr ptr, ptr %arguments, i64 {k}')}")
        blocks = self.emit(f"mul i64 %count, {self.emit('mul i64 %row.blocks, %column.blocks')}")
        given = f"ptr @block, ptr %arguments, i64 {blocks}, i64 %work, i64 %bytes, ptr @{THREADS}"
        self.line(f"call void @{ENTRY}({given})")
        self.line("call void @free(ptr %memory)")

    def run_block(self) -> None:
        for k, name in enumerate(("places", "table", "own", "memory")):
            self.line(f"%{name} = load ptr, ptr {self.emit(f'getelementptr ptr, ptr %arguments, i64 {k}')}")
        self.lines += (load_table(WORDS) + load_places("abc")).splitlines()
        self.line("%alone = icmp eq ptr %private, null")
        self.line("%panel = select i1 %alone, ptr %own, ptr %private")
        column = self.emit("urem i64 %block, %column.blocks")
        rest = self.emit("udiv i64 %block, %column.blocks")
        row, item = self.emit(f"urem i64 {rest}, %row.blocks"), self.emit(f"udiv i64 {rest}, %row.blocks")
        for name in "abc":
            self.line(f"%{name} = getelementptr i8, ptr %{name}.0, i64 {self.emit(f'mul i64 {item}, %step.{name}')}")
        self.part("top", "bottom", "%m", self.heights[0], row, "%row.blocks")
        self.part("left", "right", "%n", self.width, column, "%column.blocks")
        self.line("%height = sub i64 %bottom, %top")
        self.line(f"%dense = icmp eq i64 %b.column, {self.size}")
        self.line("%step = select i1 %dense, i64 %b.row, i64 0")
        self.loop("stretch", "0", "%k", STRETCH, self.stretch)

    def part(self, first: str, last: str, size: str, step: int, number: str, parts: str) -> None:
        """Where a part of a dim begins and ends, at multiples of a step."""
        steps = self.emit(f"udiv i64 {self.emit(f'add i64 {size}, {step - 1}')}, {step}")
        for name, k in ((first, number), (last, self.emit(f"add i64 {number}, 1"))):
            whole = self.emit(f"udiv i64 {self.emit(f'mul i64 {k}, {steps}')}, {parts}")
            self.line(f"%{name} = call i64 @llvm.smin.i64(i64 {self.emit(f'mul i64 {whole}, {step}')}, i64 {size})")

    def stretch(self, start: str) -> None:
        self.line(f"%length = call i64 @llvm.smin.i64(i64 {self.emit(f'sub i64 %k, {start}')}, i64 {STRETCH})")
        self.line(f"%first = icmp eq i64 {start}, 0")
        self.rows_of_a(start)
        b = self.at("%b", start, "%b.row")
        self.loop("columns", "%left", "%right", self.width, lambda j: self.run_panel(j, b))

    def rows_of_a(self, start: str) -> None:
        """`%x`, `%x.row` and `%x.column`: the block of `a`, copied if there is memory for that."""
        there = self.at(self.at("%a", "%top", "%a.row"), start, "%a.column")
        before = self.block
        self.line("%copying = icmp ne ptr %memory, null")
        self.line("br i1 %copying, label %copy, label %have")
        self.start("copy")
        self.line(f"%in.rows = icmp eq i64 %a.column, {self.size}")
        for name, of_rows, of_columns in (
            ("lines", "%height", "%length"),
            ("elements", "%length", "%height"),
            ("from", "%a.row", "%a.column"),
        ):
            self.line(f"%{name} = select i1 %in.rows, i64 {of_rows}, i64 {of_columns}")
        whole = self.emit(f"and i64 {self.emit(f'mul i64 %elements, {self.size}')}, -{LINE}")
        self.line(f"%to = add i64 {whole}, {GAP}")
        self.line(f"%to.row = select i1 %in.rows, i64 %to, i64 {self.size}")
        self.line(f"%to.column = select i1 %in.rows, i64 {self.size}, i64 %to")
        self.line(f"%copied = getelementptr i8, ptr %panel, i64 {PANEL}")
        self.loop(
            "line", "0", "%lines", 1, lambda i: self.copy(self.at(there, i, "%from"), self.at("%copied", i, "%to"))
        )
        after = self.block
        self.line("br label %have")
        self.start("have")
        for name, kind, here, copied in (
            ("x", "ptr", there, "%copied"),
            ("x.row", "i64", "%a.row", "%to.row"),
            ("x.column", "i64", "%a.column", "%to.column"),
        ):
            self.line(f"%{name} = phi {kind} [ {here}, %{before} ], [ {copied}, %{after} ]")

    def copy(self, source: str, target: str) -> None:
        """Copy the elements of a line; the target has room for a whole register at its end."""
        whole = self.emit(f"and i64 %elements, -{self.lanes}")
        rest = self.first_lanes(self.emit(f"sub i64 %elements, {whole}"))

        def move(i: str, mask: str | None = None) -> None:
            offset = self.emit(f"mul i64 {i}, {self.size}")
            self.store(self.load(self.shifted(source, offset), mask), self.shifted(target, offset))

        self.loop("element", "0", whole, self.lanes, move)
        move(whole, rest)

    def run_panel(self, j: str, b: str) -> None:
        rest = self.emit(f"sub i64 %n, {j}")
        source = self.at(b, j, "%b.column")
        self.line("br i1 %dense, label %pack.rows, label %pack.columns")
        for kind in ("rows", "columns"):
            self.start(f"pack.{kind}")
            self.line(
                f"call void @pack.{kind}(ptr {source}, ptr %panel, i64 %b.row, i64 %b.column, i64 %length, i64 {rest})"
            )
            self.line("br label %packed")
        self.start("packed")
        ahead = self.emit(f"select i1 %dense, ptr {self.shifted(source, self.row_bytes)}, ptr %panel")
        c = self.shifted(self.at("%c", "%top", "%c.row"), self.emit(f"mul i64 {j}, {self.size}"))
        self.line(f"%narrow = icmp sle i64 {rest}, {self.lanes}")
        self.line("br i1 %narrow, label %tiles.1, label %tiles.2")
        for registers in (1, REGISTERS):
            self.start(f"tiles.{registers}")
            begin = "0"
            for height in self.heights:
                part = self.emit(f"urem i64 {self.emit(f'sub i64 %height, {begin}')}, {height}")
                end = self.emit(f"sub i64 %height, {part}")

                def run(i: str, height: int = height, registers: int = registers) -> None:
                    x, place = self.at("%x", i, "%x.row"), self.at(c, i, "%c.row")
                    given = f"ptr {x}, i64 %x.row, i64 %x.column, ptr %panel, i64 %length, ptr {place}, i64 %c.row"
                    given += f", i64 {rest}, i1 %first, ptr {ahead}, i64 %step"
                    self.line(f"call void @tile.{height}.{registers}({given})")

                self.loop(f"rows.{height}.{registers}", begin, end, height, run)
                begin = end
            self.line("br label %tiled")
        self.start("tiled")

    def pack_rows(self) -> None:
        """Copy rows of `b` to the panel; 0 where there are no more columns."""
        masks = [self.first_lanes(self.emit(f"sub i64 %left, {r * self.lanes}")) for r in range(REGISTERS)]

        def row(i: str) -> None:
            source, target = self.at("%b", i, "%row"), self.at("%panel", i, self.row_bytes)
            for r, mask in enumerate(masks):
                self.store(self.load(self.shifted(source, r * self.bytes), mask), self.shifted(target, r * self.bytes))

        self.loop("copy", "0", "%k", 1, row)

    def pack_columns(self) -> None:
        """Copy columns of `b`, dense ones, to the panel: squares of elements change rows and columns in registers. The
        last column is there again where there are no more."""
        last = self.emit("sub i64 %left, 1")

        def some(register: str) -> None:
            first = self.emit(f"mul i64 {register}, {self.lanes}")
            numbers = [self.smaller(self.emit(f"add i64 {first}, {k}"), last) for k in range(self.lanes)]
            columns = [self.at("%b", number, "%column") for number in numbers]
            there = self.at("%panel", register, self.bytes)

            def square(i: str) -> None:
                mask = self.first_lanes(self.emit(f"sub i64 %k, {i}"))
                offset = self.emit(f"mul i64 {i}, {self.size}")
                rows = self.transposed([self.load(self.shifted(column, offset), mask) for column in columns])
                target = self.at(there, i, self.row_bytes)
                for k, row in enumerate(rows):
                    self.store(row, self.shifted(target, k * self.row_bytes))

            self.loop("square", "0", "%k", self.lanes, square)

        self.loop("register", "0", str(REGISTERS), 1, some)

    def transposed(self, rows: list[str]) -> list[str]:
        """The columns of a square: halves of its rows change places, then quarters, and so on."""
        half = self.lanes // 2
        while half:
            found = list(rows)
            lows = [k if not k & half else self.lanes + k - half for k in range(self.lanes)]
            for k in range(self.lanes):
                if not k & half:
                    for place, shift in ((k, 0), (k + half, half)):
                        order = ", ".join(f"i32 {low + shift}" for low in lows)
                        pair = f"{self.vector} {rows[k]}, {self.vector} {rows[k + half]}"
                        found[place] = self.emit(f"shufflevector {pair}, <{self.lanes} x i32> <{order}>")
            rows, half = found, half // 2
        return rows

    def tile(self, height: int, registers: int) -> None:
        """Add the products of some rows with the panel to the result, or store them if they are the `first`. Prefetches
        the result, and the next panel's rows of `b` from `ahead` on."""
        group = 3 if height % 3 == 0 else height
        groups = range(0, height, group)
        sums = [f"%sum{s}" for s in range(height * registers)]
        starts = [self.at("%a", g, "%row") for g in groups]
        places = [
            self.shifted(self.at("%c", i, "%c.row"), r * self.bytes) for i in range(height) for r in range(registers)
        ]
        for place in places:
            self.line(f"call void @llvm.prefetch.p0(ptr {place}, i32 1, i32 3, i32 1)")
        phis = [("i64", "%i", "0"), ("ptr", "%p", "%panel"), ("ptr", "%h", "%ahead")]
        phis += [("ptr", f"%a{g}", start) for g, start in zip(groups, starts, strict=True)]
        phis += [(self.vector, name, "zeroinitializer") for name in sums]
        self.line("br label %next")
        self.start("next")
        for kind, name, start in phis:
            self.line(f"{name} = phi {kind} [ {start}, %entry ], [ {name}.next, %next ]")
        for byte in range(0, self.row_bytes, LINE):
            self.line(f"call void @llvm.prefetch.p0(ptr {self.shifted('%h', byte)}, i32 0, i32 2, i32 1)")
        columns = [self.load(self.shifted("%p", r * self.bytes)) for r in range(registers)]
        for k in range(height):
            element = self.emit(f"load {self.scalar}, ptr {self.at(f'%a{k - k % group}', k % group, '%row')}")
            every = self.splat(self.scalar, element)
            for name, column in zip(sums[k * registers :], columns, strict=False):
                self.line(f"{name}.next = {self.fma(every, column, name)}")
        self.line("%i.next = add i64 %i, 1")
        self.line(f"%p.next = getelementptr i8, ptr %p, i64 {self.row_bytes}")
        self.line("%h.next = getelementptr i8, ptr %h, i64 %step")
        for g in groups:
            self.line(f"%a{g}.next = getelementptr i8, ptr %a{g}, i64 %column")
        self.line("%again = icmp slt i64 %i.next, %k")
        self.line("br i1 %again, label %next, label %done")
        self.start("done")
        self.line(f"%all = icmp sge i64 %left, {registers * self.lanes}")
        self.line(f"br i1 {self.emit('and i1 %all, %first')}, label %whole, label %part")
        self.start("whole")
        for name, place in zip(sums, places, strict=True):
            self.store(f"{name}.next", place)
        self.line("ret void")
        self.start("part")
        masks = [self.first_lanes(self.emit(f"sub i64 %left, {r * self.lanes}")) for r in range(registers)]
        none = f"{self.mask} zeroinitializer"
        olds = [self.emit(f"select i1 %first, {none}, {self.mask} {mask}") for mask in masks]
        for s, (name, place) in enumerate(zip(sums, places, strict=True)):
            old = self.load(place, olds[s % registers])
            self.store(self.emit(f"fadd {self.vector} {old}, {name}.next"), place, masks[s % registers])
