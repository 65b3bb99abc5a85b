"""Reductions of columns, and sums of rows and columns of one value."""

import math

import numpy as np

from .registry import case, matrices, prange

f32 = np.float32


@case("column_sum_exp", "columns", matrices(1, 1000), {"exp": 1, "flop": 1}, tolerance=1e-3)
def column_sum_exp(xp, x):
    return xp.sum(xp.exp(x), axis=0)


@column_sum_exp.loops
def _(x, out, parts):
    sums = np.zeros((parts, x.shape[1]), np.float32)
    step = (x.shape[0] + parts - 1) // parts
    for part in prange(parts):
        for r in range(part * step, min((part + 1) * step, x.shape[0])):
            for j in range(x.shape[1]):
                sums[part, j] += math.exp(x[r, j])
    for j in range(x.shape[1]):
        total = f32(0)
        for part in range(parts):
            total += sums[part, j]
        out[j] = total


@case("standardise_columns", "columns", matrices(1, 256), {"flop": 7}, tolerance=1e-3)
def standardise_columns(xp, x):
    d = x - xp.mean(x, axis=0)
    return d / xp.sqrt(xp.mean(d * d, axis=0))


@standardise_columns.loops
def _(x, out, parts):
    """Sums of differences from the first row: one walk for both, without cancellation."""
    rows, columns = x.shape
    one = np.zeros((parts, columns), np.float32)
    two = np.zeros((parts, columns), np.float32)
    step = (rows + parts - 1) // parts
    for part in prange(parts):
        for r in range(part * step, min((part + 1) * step, rows)):
            for j in range(columns):
                d = x[r, j] - x[0, j]
                one[part, j] += d
                two[part, j] += d * d
    mean = np.empty(columns, np.float32)
    factor = np.empty(columns, np.float32)
    for j in range(columns):
        a = f32(0)
        b = f32(0)
        for part in range(parts):
            a += one[part, j]
            b += two[part, j]
        a /= f32(rows)
        mean[j] = a + x[0, j]
        factor[j] = f32(1) / math.sqrt(b / f32(rows) - a * a)
    for r in prange(rows):
        for j in range(columns):
            out[r, j] = (x[r, j] - mean[j]) * factor[j]


@case("column_softmax", "columns", matrices(1, 256), {"exp": 1, "flop": 4}, tolerance=1e-3)
def column_softmax(xp, x):
    e = xp.exp(x - xp.max(x, axis=0))
    return e / xp.sum(e, axis=0)


@column_softmax.loops
def _(x, out, parts):
    rows, columns = x.shape
    largest = x[0].copy()
    for r in range(rows):
        for j in range(columns):
            largest[j] = max(largest[j], x[r, j])
    sums = np.zeros((parts, columns), np.float32)
    step = (rows + parts - 1) // parts
    for part in prange(parts):
        for r in range(part * step, min((part + 1) * step, rows)):
            for j in range(columns):
                e = math.exp(x[r, j] - largest[j])
                out[r, j] = e
                sums[part, j] += e
    for part in range(1, parts):
        for j in range(columns):
            sums[0, j] += sums[part, j]
    for r in prange(rows):
        for j in range(columns):
            out[r, j] /= sums[0, j]


@case("row_and_column_sums", "columns", matrices(2, 600), {"tanh": 1, "flop": 6}, tolerance=1e-3)
def row_and_column_sums(xp, x, y):
    """A value, and its sums along either axis and over both."""
    value = xp.tanh(x) * y
    return value, xp.sum(value, axis=1), xp.sum(value, axis=0), xp.sum(value * value)


@row_and_column_sums.loops
def _(x, y, value, by_row, by_column, total, parts):
    sums = np.zeros((parts, x.shape[1]), np.float32)
    squares = np.zeros(parts)
    step = (x.shape[0] + parts - 1) // parts
    for part in prange(parts):
        for r in range(part * step, min((part + 1) * step, x.shape[0])):
            row = f32(0)
            square = f32(0)
            for j in range(x.shape[1]):
                v = math.tanh(x[r, j]) * y[r, j]
                value[r, j] = v
                sums[part, j] += v
                row += v
                square += v * v
            by_row[r] = row
            squares[part] += square
    total[()] = squares.sum()
    for j in range(x.shape[1]):
        column = f32(0)
        for part in range(parts):
            column += sums[part, j]
        by_column[j] = column
