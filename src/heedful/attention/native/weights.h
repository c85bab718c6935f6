// The weights of chosen heads and queries, written row by row.
#pragma once
#include "halves.h"
#include "tile.h"

// Bytes that this thread will not read again, past the caches where whole lines allow it.
inline void set_down(void* to, const void* from, size_t bytes) {
#if defined(__AVX512F__)
    if (((size_t)to | bytes) % 64 == 0) {
        for (size_t i = 0; i < bytes; i += 64) _mm512_stream_si512((__m512i*)((char*)to + i), _mm512_loadu_si512((const char*)from + i));
        return;
    }
#endif
    std::memcpy(to, from, bytes);
}

template <class T>
struct Weights {
    const Problem& p;
    long b, head, block, rows;
    int32_t line[BLOCK];  // of each query, its row in the matrix, or -1
    bool writes = false;  // whether any query of the block is asked for

    bool open(long b_, long h, long block_) {
        b = b_, block = block_, rows = std::min(BLOCK, (long)p.q_len - block * BLOCK);
        head = p.weights ? ((const int32_t*)p.weight_of)[h] : -1;
        writes = false;
        if (head < 0) return false;
        std::memcpy(line, (const int32_t*)p.weight_at + block * BLOCK, rows * sizeof(int32_t));
        return writes = std::any_of(line, line + rows, [](int32_t x) { return x >= 0; });
    }

    template <class X>
    X* place(long r, long key) {
        return (X*)p.weights + ((b * p.weight_heads + head) * p.weight_rows + line[r]) * p.k_len + key;
    }
    void write(const T* turned, long key, long keys) {
        for (long r = 0; r < rows; ++r) {
            if (line[r] < 0) continue;
            const T* from = turned + r * BLOCK;
            if (p.weight_mean)
                for (long k = 0; k < keys; ++k) place<T>(r, key)[k] += from[k] * (T)(1.0 / p.weight_mean);
            else if (p.kind == BF16)
                halve<BFloat16>(from, r, key, keys);
            else if (p.kind == F16)
                halve<Float16>(from, r, key, keys);
            else
                set_down(place<T>(r, key), from, keys * sizeof(T));
        }
    }
    template <class X>
    void halve(const T* from, long r, long key, long keys) {
        alignas(64) X row[BLOCK];
        narrow_row(from, keys, row);
        set_down(place<X>(r, key), row, keys * sizeof(X));
    }
    void blank(long from, long to) {  // no weight on keys `from` to `to`
        if (from >= to || p.weight_mean) return;
        const long size = p.kind == BF16 || p.kind == F16 ? 2 : sizeof(T);
        for (long r = 0; r < rows; ++r)
            if (line[r] >= 0) std::memset((char*)p.weights + (place<char>(r, from) - (char*)p.weights) * size, 0, (to - from) * size);
    }
};
