// The products of the backward pass for float and double.
#pragma once
#include "plain.h"

template <class In, class Real>
struct PlainBackward : Plain<In, Real> {
    using Base = Plain<In, Real>;
    using T = Real;
    using Base::k, Base::v, Base::k_by, Base::v_by, Base::p, Base::L;
    T *up, *q_rows, *up_rows;  // gradients of the output, turned (width, 64) and as rows; queries as rows
    long q_wide, up_wide;

    static long wide(long n) { return (n + L - 1) / L * L; }
    static size_t bytes(const Problem& p) { return Base::bytes(p) + (BLOCK * (p.v_width + wide(p.d) + wide(p.v_width)) + 256) * sizeof(T); }

    PlainBackward(const Problem& p, Arena& arena, const char* packed) : Base(p, arena, packed) {
        q_wide = wide(p.d), up_wide = wide(p.v_width);
        up = arena.take<T>(p.v_width * BLOCK);
        q_rows = arena.take<T>(q_wide * BLOCK);
        up_rows = arena.take<T>(up_wide * BLOCK);
    }

    void open(long b, long h, long block) {
        const long i = block * BLOCK, rows = std::min(BLOCK, (long)p.q_len - i);
        unfold(rows, BLOCK, p.d, q_wide, row_of<const In>(p.q, b, h, i), p.q.n, q_rows);
        unfold(rows, BLOCK, p.v_width, up_wide, row_of<const In>(p.dout, b, h, i), p.dout.n, up_rows);
        turn(BLOCK, p.d, q_rows, q_wide, this->q, BLOCK);
        turn(BLOCK, p.v_width, up_rows, up_wide, up, BLOCK);
    }

    void grow(const Tile<T>& t, T* grads) {  // (keys, 64) = V dO^T
        if (!t.words) return product<T>(t.keys, BLOCK, p.v_width, {v, v_by, 1}, up, BLOCK, grads, BLOCK, false);
        Base::by_ranges(t, [&](long c, bool two, long from, long to) {
            const Strided<T> a{v + from * v_by, v_by, 1};
            T* at = grads + from * BLOCK + c * L;
            if (two)
                strip<T, 8, 2>(to - from, p.v_width, a, up + c * L, BLOCK, at, BLOCK, false);
            else
                strip<T, 16, 1>(to - from, p.v_width, a, up + c * L, BLOCK, at, BLOCK, false);
        });
    }

    void push(const Tile<T>& t, const T* weights, const T* grads, T* dk, long dk_by, T* dv, long dv_by, T* dq) {
        for (long key = 0; key < t.keys; key += 16) {  // of sixteen keys, the queries that attend to any
            const long rows = std::min(16l, t.keys - key);
            long from = 0, to = BLOCK;
            if (t.words) {
                uint64_t some = 0;
                for (long i = 0; i < rows; ++i) some |= t.words[key + i];
                if (!some) continue;
                from = __builtin_ctzll(some), to = 64 - __builtin_clzll(some);
            }
            product<T>(rows, up_wide, to - from, {weights + key * BLOCK + from, BLOCK, 1}, up_rows + from * up_wide, up_wide,
                       dv + key * dv_by, dv_by, true);
            product<T>(rows, q_wide, to - from, {grads + key * BLOCK + from, BLOCK, 1}, q_rows + from * q_wide, q_wide, dk + key * dk_by,
                       dk_by, true);
        }
        if (!t.words) return product<T>(p.d, BLOCK, t.keys, {k, 1, k_by}, grads, BLOCK, dq, BLOCK, true);
        Base::by_ranges(t, [&](long c, bool two, long from, long to) {
            Base::add_part(two, p.d, to - from, {k + from * k_by, 1, k_by}, grads + from * BLOCK + c * L, dq + c * L);
        });
    }
};
