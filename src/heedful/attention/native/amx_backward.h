// The products of the backward pass for bfloat16 by AMX.
#pragma once
#include "amx.h"
#if defined(HEEDFUL_AMX)

struct AmxBackward : Amx {
    const BFloat16 *keys, *values_here;  // keys: all of them, turned; values of the tile, by rows
    const BFloat16* turned_keys;         // of the tile
    long values_by;
    BFloat16 *spare_values, *w_rows, *g_rows;
    uint32_t *up, *q_pairs, *up_pairs;  // gradients of the output, turned; queries and gradients in pairs of rows

    static size_t bytes(const Problem& p) {
        return Amx::bytes(p) + BLOCK * (2 * BLOCK + 2 * up32(p.v_width) + up32(p.d) + 2 * up32(p.v_width)) * 4 + 8192;
    }
    static long tile_numbers(const Problem& p) { return up32(p.d) * BLOCK; }
    static size_t packed_bytes(const Problem& p) { return p.b * p.g * ((p.k_len + BLOCK - 1) / BLOCK) * tile_numbers(p) * 2; }
    static void pack(const Problem& p, char* to, long b, long g, long tile) {
        const long all = (p.k_len + BLOCK - 1) / BLOCK, key = tile * BLOCK;
        turn_values(row_of<const BFloat16>(p.k, b, g, key), p.k.n, std::min(BLOCK, (long)p.k_len - key), p.d,
                    (BFloat16*)to + ((b * p.g + g) * all + tile) * tile_numbers(p));
    }

    AmxBackward(const Problem& p, Arena& arena, const char* packed) : Amx(p, arena, nullptr), keys((const BFloat16*)packed) {
        spare_values = arena.take<BFloat16>(up32(p.v_width) * BLOCK);
        w_rows = arena.take<BFloat16>(BLOCK * BLOCK);
        g_rows = arena.take<BFloat16>(BLOCK * BLOCK);
        up = arena.take<uint32_t>(up32(p.v_width) / 2 * BLOCK);
        q_pairs = arena.take<uint32_t>(BLOCK / 2 * up32(p.d));
        up_pairs = arena.take<uint32_t>(BLOCK / 2 * up32(p.v_width));
    }

    static void pair_rows(const BFloat16* from, long by, long rows, long width, uint32_t* to) {
        for (long r = 0; r < BLOCK; r += 2)
            for (long c = 0; c < up32(width); c += 16) {
                const BFloat16* at = from + r * by + c;
                const __mmask16 wanted = c < width ? first(width - c) : 0;
                _mm512_storeu_si512(to + r / 2 * up32(width) + c, paired(at, at + by, r < rows, r + 1 < rows, wanted));
            }
    }

    void open(long b, long h, long block) {
        const long i = block * BLOCK, rows = std::min(BLOCK, (long)p.q_len - i);
        const BFloat16 *queries = row_of<const BFloat16>(p.q, b, h, i), *grads = row_of<const BFloat16>(p.dout, b, h, i);
        turn_whole(queries, p.q.n, rows, p.d, spare, q);
        turn_whole(grads, p.dout.n, rows, p.v_width, spare_values, up);
        pair_rows(queries, p.q.n, rows, p.d, q_pairs);
        pair_rows(grads, p.dout.n, rows, p.v_width, up_pairs);
    }

    // to (width in pairs, 64) = 64 rows turned, zero beyond the last.
    static void turn_whole(const BFloat16* from, long by, long rows, long width, BFloat16* spare, uint32_t* to) {
        const BFloat16* at = padded(from, by, rows, width, spare, by);
        turn_pairs(at, by, BLOCK, width, to, BLOCK);
    }

    void score(const Tile<T>& t, T* scores) {  // (keys, 64) = K Q^T
        for (long half = 0; half < 2; ++half)
            for (long key = t.low[2 * half]; key < t.high[2 * half]; key += 32)
                square((const char*)k + key * k_by, k_by, 64, q + half * 32, BLOCK * 4, 16 * BLOCK * 4, scores + key * BLOCK + half * 32,
                       up32(p.d) / 32, false);
    }

    void read(const Tile<T>& t, long b, long g) {
        k = padded(row_of<const BFloat16>(p.k, b, g, t.key), p.k.n, t.keys, p.d, spare, k_by);
        k_by *= 2;
        values_here = padded(row_of<const BFloat16>(p.v, b, g, t.key), p.v.n, t.keys, p.v_width, spare_values, values_by);
        turned_keys = keys + ((b * p.g + g) * ((p.k_len + BLOCK - 1) / BLOCK) + t.key / BLOCK) * tile_numbers(p);
    }

    void grow(const Tile<T>& t, T* grads) {
        for (long half = 0; half < 2; ++half)
            for (long key = t.low[2 * half]; key < t.high[2 * half]; key += 32)
                square((const char*)values_here + key * values_by * 2, values_by * 2, 64, up + half * 32, BLOCK * 4, 16 * BLOCK * 4,
                       grads + key * BLOCK + half * 32, up32(p.v_width) / 32, false);
    }

    static void round_rows(const T* from, long keys, BFloat16* to) {  // zero from the last key to the next 32
        for (long k = 0; k < keys; ++k)
            for (long c = 0; c < BLOCK; c += 32)
                _mm512_storeu_si512(to + k * BLOCK + c, (__m512i)_mm512_cvtne2ps_pbh((__m512)load<Vec<T>>(from + k * BLOCK + c + 16),
                                                                                     (__m512)load<Vec<T>>(from + k * BLOCK + c)));
        std::memset(to + keys * BLOCK, 0, (up32(keys) - keys) * BLOCK * 2);
    }

    // dk and dv must have room for whole groups of 32 keys.
    void push(const Tile<T>& t, const T* weights, const T* grads, T* dk, long dk_by, T* dv, long dv_by, T* dq) {
        round_rows(weights, t.keys, w_rows);
        round_rows(grads, t.keys, g_rows);
        for (long key = 0; key < t.keys; key += 2)
            for (long c = 0; c < BLOCK; c += 16)
                store(w + key / 2 * BLOCK + c, rounded(load<Vec<T>>(grads + key * BLOCK + c),
                                                       key + 1 < t.keys ? load<Vec<T>>(grads + (key + 1) * BLOCK + c) : Vec<T>{}));
        for (long key = (t.keys + 1) / 2 * 2; key < up32(t.keys); key += 2) std::memset(w + key / 2 * BLOCK, 0, BLOCK * 4);
        for (long key = 0; key < t.keys; key += 32) {
            const bool left = key >= t.low[0] && key < t.high[0], right = key >= t.low[2] && key < t.high[2];
            if (!left && !right) continue;
            const long from = left ? 0 : 32, steps = left && right ? 2 : 1;
            for (long c = 0; c < up32(p.v_width); c += 32)
                square(w_rows + key * BLOCK + from, BLOCK * 2, 64, up_pairs + from / 2 * up32(p.v_width) + c, up32(p.v_width) * 4,
                       16 * up32(p.v_width) * 4, dv + key * dv_by + c, steps, true, dv_by);
            for (long c = 0; c < up32(p.d); c += 32)
                square(g_rows + key * BLOCK + from, BLOCK * 2, 64, q_pairs + from / 2 * up32(p.d) + c, up32(p.d) * 4,
                       16 * up32(p.d) * 4, dk + key * dk_by + c, steps, true, dk_by);
        }
        for (long half = 0; half < 2; ++half) {
            const long low = t.low[2 * half], high = t.high[2 * half];
            if (low >= high) continue;
            for (long row = 0; row < p.d; row += 32)
                square(turned_keys + row * BLOCK + low, BLOCK * 2, 64, w + low / 2 * BLOCK + half * 32, BLOCK * 4, 16 * BLOCK * 4,
                       dq + row * BLOCK + half * 32, (high - low + 31) / 32, true);
        }
    }
};
#endif
