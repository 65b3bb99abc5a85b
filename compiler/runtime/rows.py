"""Products of a few rows with a matrix, as LLVM text.

BLAS packs the matrix first, which costs more than to multiply it by a few rows. Here a panel of columns in a stretch
of the matrix's rows is read into the L1 cache once, for all rows of `a`, four of which have their sums in registers at
a time; the panel beside it comes next. Where it is the columns of the matrix that are dense, four columns and four rows
at a time give sixteen dot products.
"""

from __future__ import annotations

from .shim_text import load_places, load_table
from .vector_text import VectorText

MOST_ROWS = 16
"""Rows from which on packing pays."""
STRETCH = 64
"""Rows of the matrix between two stores of a panel's sums."""


def rows_text(dtype: str, registers: tuple[int, int]) -> str:
    """The shim `void loopweld_rows_f4(ptr places, ptr table)`, for so many registers of so many bytes.

    It computes `c = a @ b`, for dense elements along `n` in `b` and `c`. The table holds its `words`: how many
    products, bytes from one to the next, the sizes, and strides in bytes.
    """
    return _Rows(dtype, registers).text()


def dots_text(dtype: str, registers: tuple[int, int]) -> str:
    """The shim `loopweld_dots_f4`: the same for dense elements along `k` in `a` and `b`."""
    return _Dots(dtype, registers).text()


class _Rows(VectorText):
    """The text of one shim: panels of a row-major `b`."""

    kind = "rows"
    words = ("count", "step.a", "step.b", "step.c", "m", "n", "k", "a.row", "a.column", "b.row", "c.row")

    def __init__(self, dtype: str, registers: tuple[int, int]):
        super().__init__(dtype, registers[1])
        self.registers = 4 if registers[0] == 32 else 2
        """Registers of a row in a panel: with those of four rows they leave room for a row of the matrix."""
        self.begin = self.last = self.first = ""
        """The stretch: its first row, the row after its last, whether it is the first stretch."""

    def text(self) -> str:
        head = f"void @loopweld_{self.kind}_{self.dtype}(ptr %places, ptr %table)"
        return self.function(head, self.products)

    def products(self) -> None:
        self.lines += (load_table(self.words) + load_places("abc")).splitlines()
        self.loop("product", "0", "%count", 1, self.product)

    def product(self, p: str) -> None:
        for name in "abc":
            offset = self.emit(f"mul i64 {p}, %step.{name}")
            self.line(f"%{name} = getelementptr i8, ptr %{name}.0, i64 {offset}")
        self.one_product()

    def one_product(self) -> None:
        self.loop("stretch", "0", "%k", STRETCH, self.stretch)

    def stretch(self, start: str) -> None:
        self.last = self.smaller(self.emit(f"add i64 {start}, {STRETCH}"), "%k")
        self.first, self.begin = self.emit(f"icmp eq i64 {start}, 0"), start
        width = self.registers * self.lanes
        rest = self.emit(f"urem i64 %n, {width}")
        whole = self.emit(f"sub i64 %n, {rest}")
        self.loop("panel", "0", whole, width, lambda j: self.panel("panel", j, self.registers, None))
        self.loop("tail", whole, "%n", self.lanes, self.tail)

    def tail(self, j: str) -> None:
        left = self.smaller(self.emit(f"sub i64 %n, {j}"), self.lanes)
        self.panel("tail", j, 1, self.first_lanes(left))

    def panel(self, label: str, j: str, registers: int, mask: str | None) -> None:
        """Four rows at a time, then one. With one register to a row each sum waits for itself: four rows take less time
        than two or three in turn."""
        offset = self.emit(f"mul i64 {j}, {self.size}")
        odd = self.emit(f"and i64 {self.emit('add i64 %m, 2') if registers == 1 else '%m'}, -4")
        self.loop(f"{label}.4", "0", odd, 4, lambda i: self.rows(f"{label}.four", i, 4, offset, registers, mask))
        self.loop(f"{label}.1", odd, "%m", 1, lambda i: self.rows(f"{label}.one", i, 1, offset, registers, mask))

    def rows(self, label: str, i: str, rows: int, offset: str, registers: int, mask: str | None) -> None:
        """Add the products of a stretch to the sums of some rows in a panel, which begin as zero. Where there are fewer
        rows, the last one is there again."""
        end = self.emit("sub i64 %m, 1")
        numbers = [self.smaller(self.emit(f"add i64 {i}, {r}"), end) for r in range(rows)]
        places: list[str] = []
        starts: list[str] = []
        for number in numbers:
            row = self.at("%c", number, "%c.row")
            for v in range(registers):
                place = self.shifted(row, self.emit(f"add i64 {offset}, {v * self.bytes}"))
                old = self.load(place, mask)
                places.append(place)
                starts.append(self.emit(f"select i1 {self.first}, {self.vector} zeroinitializer, {self.vector} {old}"))
        sums = [f"%{label}.{s}" for s in range(len(starts))]
        before = self.block
        a = self.at(self.at("%a", i, "%a.row"), self.begin, "%a.column")
        below = [self.emit(f"mul i64 {self.emit(f'sub i64 {number}, {i}')}, %a.row") for number in numbers]
        b = self.shifted(self.at("%b", self.begin, "%b.row"), offset)
        self.line(f"br label %{label}")
        self.start(label)
        self.line(f"%{label}.l = phi i64 [ {self.begin}, %{before} ], [ %{label}.l.next, %{label} ]")
        self.line(f"%{label}.a = phi ptr [ {a}, %{before} ], [ %{label}.a.next, %{label} ]")
        self.line(f"%{label}.b = phi ptr [ {b}, %{before} ], [ %{label}.b.next, %{label} ]")
        for name, start in zip(sums, starts, strict=True):
            self.line(f"{name} = phi {self.vector} [ {start}, %{before} ], [ {name}.next, %{label} ]")
        columns = [self.load(self.shifted(f"%{label}.b", v * self.bytes), mask) for v in range(registers)]
        if mask is None:
            for ahead in range(registers * self.bytes, 2 * registers * self.bytes, 64):
                line = self.shifted(f"%{label}.b", ahead)
                self.line(f"call void @llvm.prefetch.p0(ptr {line}, i32 0, i32 3, i32 1)")
        for r in range(rows):
            place = self.shifted(f"%{label}.a", below[r])
            every = self.splat(self.scalar, self.emit(f"load {self.scalar}, ptr {place}"))
            for name, column in zip(sums[r * registers :], columns, strict=False):
                self.line(f"{name}.next = {self.fma(every, column, name)}")
        self.line(f"%{label}.l.next = add i64 %{label}.l, 1")
        self.line(f"%{label}.a.next = getelementptr i8, ptr %{label}.a, i64 %a.column")
        self.line(f"%{label}.b.next = getelementptr i8, ptr %{label}.b, i64 %b.row")
        again = self.emit(f"icmp slt i64 %{label}.l.next, {self.last}")
        self.line(f"br i1 {again}, label %{label}, label %{label}.store")
        self.start(f"{label}.store")
        for name, place in zip(sums, places, strict=True):
            self.store(f"{name}.next", place, mask)


class _Dots(_Rows):
    """Dot products of rows of `a` and columns of `b`, both dense."""

    kind = "dots"
    words = ("count", "step.a", "step.b", "step.c", "m", "n", "k", "a.row", "b.column", "c.row", "c.column")

    def one_product(self) -> None:
        self.line(f"%rest = urem i64 %k, {self.lanes}")
        self.line("%whole = sub i64 %k, %rest")
        self.line(f"%k.mask = bitcast {self.mask} {self.first_lanes('%rest')} to i{self.lanes}")
        odd = self.emit("and i64 %n, -4")
        self.loop("columns.4", "0", odd, 4, lambda j: self.columns("four", j, 4))
        self.loop("columns.1", odd, "%n", 1, lambda j: self.columns("one", j, 1))

    def columns(self, label: str, j: str, columns: int) -> None:
        odd = self.emit("and i64 %m, -4")
        self.loop(f"{label}.rows.4", "0", odd, 4, lambda i: self.dots(f"{label}.by.four", i, j, 4, columns))
        self.loop(f"{label}.rows.1", odd, "%m", 1, lambda i: self.dots(f"{label}.by.one", i, j, 1, columns))

    def dots(self, label: str, i: str, j: str, rows: int, columns: int) -> None:
        """The products of some rows with some columns."""
        lefts = [self.at("%a", self.emit(f"add i64 {i}, {r}"), "%a.row") for r in range(rows)]
        rights = [self.at("%b", self.emit(f"add i64 {j}, {c}"), "%b.column") for c in range(columns)]
        sums = [f"%{label}.{s}" for s in range(rows * columns)]
        before, following = self.block, f"%{label}.l.next"
        some = self.emit("icmp sgt i64 %whole, 0")
        self.line(f"br i1 {some}, label %{label}, label %{label}.rest")
        self.start(label)
        self.line(f"%{label}.l = phi i64 [ 0, %{before} ], [ {following}, %{label} ]")
        for name in sums:
            self.line(f"{name} = phi {self.vector} [ zeroinitializer, %{before} ], [ {name}.next, %{label} ]")
        self.multiply(lefts, rights, f"%{label}.l", sums, None)
        self.line(f"{following} = add i64 %{label}.l, {self.lanes}")
        again = self.emit(f"icmp slt i64 {following}, %whole")
        self.line(f"br i1 {again}, label %{label}, label %{label}.rest")
        self.start(f"{label}.rest")
        ends = [f"{name}.end" for name in sums]
        for name, end in zip(sums, ends, strict=True):
            self.line(f"{end} = phi {self.vector} [ zeroinitializer, %{before} ], [ {name}.next, %{label} ]")
        mask = self.emit(f"bitcast i{self.lanes} %k.mask to {self.mask}")
        self.multiply(lefts, rights, "%whole", ends, mask)
        for r in range(rows):
            row = self.at("%c", self.emit(f"add i64 {i}, {r}"), "%c.row")
            for c in range(columns):
                place = self.at(row, self.emit(f"add i64 {j}, {c}"), "%c.column")
                args = f"{self.scalar} -0.0, {self.vector} {ends[r * columns + c]}.next"
                total = self.emit(f"call reassoc {self.scalar} @llvm.vector.reduce.fadd.{self.suffix}({args})")
                self.line(f"store {self.scalar} {total}, ptr {place}")

    def multiply(self, lefts: list[str], rights: list[str], k: str, sums: list[str], mask: str | None) -> None:
        """The next values of the sums: with the elements from `k` on."""
        offset = self.emit(f"mul i64 {k}, {self.size}")
        x, y = ([self.load(self.shifted(p, offset), mask) for p in places] for places in (lefts, rights))
        for s, (left, right) in zip(sums, [(left, right) for left in x for right in y], strict=True):
            self.line(f"{s}.next = {self.fma(left, right, s)}")
