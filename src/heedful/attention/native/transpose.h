// Squares of 16 x 16 words turned over, and what is built from them.
#pragma once
#include "vectors.h"

// to[c][r] = from[r][c] for 32-bit words; strides in words.
inline void turn16(const uint32_t* from, long by, uint32_t* to, long onto) {
#if defined(__AVX512F__)
    __m512i r[16], t[16];
    for (int i = 0; i < 16; ++i) r[i] = _mm512_loadu_si512(from + i * by);
    for (int i = 0; i < 8; ++i) {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 2; ++j) {
            r[4 * i + 2 * j] = _mm512_unpacklo_epi64(t[4 * i + j], t[4 * i + 2 + j]);
            r[4 * i + 2 * j + 1] = _mm512_unpackhi_epi64(t[4 * i + j], t[4 * i + 2 + j]);
        }
    for (int j = 0; j < 4; ++j) {  // r[4i + j] holds, in each quarter n, column 4n + j of rows 4i to 4i + 3
        t[j] = _mm512_shuffle_i32x4(r[j], r[4 + j], 0x88);
        t[4 + j] = _mm512_shuffle_i32x4(r[j], r[4 + j], 0xdd);
        t[8 + j] = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0x88);
        t[12 + j] = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0xdd);
    }
    for (int j = 0; j < 4; ++j) {
        _mm512_storeu_si512(to + j * onto, _mm512_shuffle_i32x4(t[j], t[8 + j], 0x88));
        _mm512_storeu_si512(to + (8 + j) * onto, _mm512_shuffle_i32x4(t[j], t[8 + j], 0xdd));
        _mm512_storeu_si512(to + (4 + j) * onto, _mm512_shuffle_i32x4(t[4 + j], t[12 + j], 0x88));
        _mm512_storeu_si512(to + (12 + j) * onto, _mm512_shuffle_i32x4(t[4 + j], t[12 + j], 0xdd));
    }
#else
    for (int i = 0; i < 16; ++i)
        for (int j = 0; j < 16; ++j) to[j * onto + i] = from[i * by + j];
#endif
}

// to (columns, rows) = from (rows, columns), any sizes.
template <class T>
void turn(long rows, long columns, const T* from, long by, T* to, long onto) {
    long r = 0;
    if constexpr (sizeof(T) == 4)
        for (; r + 16 <= rows; r += 16) {
            long c = 0;
            for (; c + 16 <= columns; c += 16)
                turn16((const uint32_t*)(from + r * by + c), by, (uint32_t*)(to + c * onto + r), onto);
            for (long i = r; i < r + 16; ++i)
                for (long j = c; j < columns; ++j) to[j * onto + i] = from[i * by + j];
        }
    for (; r < rows; ++r)
        for (long c = 0; c < columns; ++c) to[c * onto + r] = from[r * by + c];
}
