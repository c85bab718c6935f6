// Matrix products for float and double: C (+)= A B with B and C dense in rows of vectors and A read one number at a time,
// in any order, so that a transposed A costs nothing.
#pragma once
#include "problem.h"
#include "vectors.h"

template <class T>
struct Strided {  // A: element (row, k) at data[row * by_row + k * by_k]
    const T* data;
    long by_row, by_k;
};

// ROWS x COLUMNS vectors of C, kept in registers over the whole of k; what C holds is added last, so that long sums are sums of
// short ones and lose fewer digits.
template <class T, int ROWS, int COLUMNS>
inline __attribute__((always_inline)) void corner(long k, const T* a, long by_row, long by_k, const T* b, long ldb, T* c, long ldc, bool add) {
    constexpr int L = Lanes<T>::count;
    Vec<T> sum[ROWS][COLUMNS];
#pragma GCC unroll 32
    for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
        for (int j = 0; j < COLUMNS; ++j) sum[r][j] = Vec<T>{};
    for (long i = 0; i < k; ++i) {
        Vec<T> row[COLUMNS];
#pragma GCC unroll 8
        for (int j = 0; j < COLUMNS; ++j) row[j] = load<Vec<T>>(b + i * ldb + j * L);
#pragma GCC unroll 32
        for (int r = 0; r < ROWS; ++r) {
            const Vec<T> x = all<T>(a[r * by_row + i * by_k]);
#pragma GCC unroll 8
            for (int j = 0; j < COLUMNS; ++j) sum[r][j] += x * row[j];
        }
    }
#pragma GCC unroll 32
    for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
        for (int j = 0; j < COLUMNS; ++j) {
            T* at = c + r * ldc + j * L;
            store(at, add ? load<Vec<T>>(at) + sum[r][j] : sum[r][j]);
        }
}

template <class T, int ROWS, int COLUMNS>
void strip(long rows, long k, Strided<T> a, const T* b, long ldb, T* c, long ldc, bool add) {
    long r = 0;
    for (; r + ROWS <= rows; r += ROWS)
        corner<T, ROWS, COLUMNS>(k, a.data + r * a.by_row, a.by_row, a.by_k, b, ldb, c + r * ldc, ldc, add);
    if constexpr (ROWS > 4)
        for (; r + 4 <= rows; r += 4)
            corner<T, 4, COLUMNS>(k, a.data + r * a.by_row, a.by_row, a.by_k, b, ldb, c + r * ldc, ldc, add);
    for (; r < rows; ++r) corner<T, 1, COLUMNS>(k, a.data + r * a.by_row, a.by_row, a.by_k, b, ldb, c + r * ldc, ldc, add);
}

// C (rows, columns) (+)= A (rows, k) B (k, columns); columns a whole number of vectors.
template <class T>
void product(long rows, long columns, long k, Strided<T> a, const T* b, long ldb, T* c, long ldc, bool add) {
    constexpr long L = Lanes<T>::count;
    long j = 0;
    for (; j + 4 * L <= columns; j += 4 * L) strip<T, 6, 4>(rows, k, a, b + j, ldb, c + j, ldc, add);
    for (; j + 2 * L <= columns; j += 2 * L) strip<T, 8, 2>(rows, k, a, b + j, ldb, c + j, ldc, add);
    for (; j < columns; j += L) strip<T, 16, 1>(rows, k, a, b + j, ldb, c + j, ldc, add);
}
