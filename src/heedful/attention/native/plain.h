// The engine for float and double, and for halves where the processor has no product for them: those are widened tile by tile.
#pragma once
#include <type_traits>

#include "halves.h"
#include "products.h"
#include "softmax.h"

template <class In, class Real>
struct Plain {
    using Number = In;
    using T = Real;
    static constexpr bool COARSE = false, SAME = std::is_same_v<In, T>;
    static constexpr long KEYS_BY = 8, COLUMNS_BY = 2, L = Lanes<T>::count, COLUMNS = BLOCK / L;
    T *q, *k, *v;
    long k_by, v_by;
    const Problem& p;

    static size_t bytes(const Problem& p) { return (3 * BLOCK * (p.d + p.v_width) + 64) * sizeof(T); }
    static size_t packed_bytes(const Problem&) { return 0; }
    static void pack(const Problem&, char*, long, long, long) {}

    Plain(const Problem& p, Arena& arena, const char*) : p(p) {
        q = arena.take<T>(p.d * BLOCK);
        k = arena.take<T>(p.d * BLOCK);
        v = arena.take<T>(p.v_width * BLOCK);
    }

    void open(long b, long h, long block) {  // the queries, turned: (d, 64)
        const long i = block * BLOCK, rows = std::min(BLOCK, (long)p.q_len - i);
        const In* from = row_of<const In>(p.q, b, h, i);
        if (rows < BLOCK) std::memset(q, 0, p.d * BLOCK * sizeof(T));
        if constexpr (SAME)
            turn(rows, p.d, from, p.q.n, q, BLOCK);
        else {
            unfold(rows, rows, p.d, p.d, from, p.q.n, k);
            turn(rows, p.d, k, p.d, q, BLOCK);
        }
    }

    void read(const Tile<T>& t, long b, long g) {  // the tile's keys and values, as numbers to compute with
        const In *keys = row_of<const In>(p.k, b, g, t.key), *values = row_of<const In>(p.v, b, g, t.key);
        if constexpr (SAME) {
            k = (T*)keys, k_by = p.k.n, v = (T*)values, v_by = p.v.n;
        } else {
            unfold(t.keys, t.keys, p.d, p.d, keys, p.k.n, k);
            unfold(t.keys, t.keys, p.v_width, p.v_width, values, p.v.n, v);
            k_by = p.d, v_by = p.v_width;
        }
    }

    void score(const Tile<T>& t, T* scores) {  // (keys, 64) = K Q^T
        if (!t.words) return product<T>(t.keys, BLOCK, p.d, {k, k_by, 1}, q, BLOCK, scores, BLOCK, false);
        for (long c = 0; c < COLUMNS; c += 2)
            strip<T, 8, 2>(t.high[c] - t.low[c], p.d, {k + t.low[c] * k_by, k_by, 1}, q + c * L, BLOCK,
                            scores + t.low[c] * BLOCK + c * L, BLOCK, false);
    }

    template <class Run>
    void weigh_column(Run& run, const Terms<T>& s, const Tile<T>& t, long c, T* scores) {
        weigh<COARSE>(run, s, t, c, scores, Rows<T>{scores + c * L});
    }
    bool weigh_at_once(Running<T>&, const Terms<T>&, const Tile<T>&, long, T*) { return false; }  // they stand in the scores' place
    void mix_held(T*) {}
    static constexpr uint32_t* slot = nullptr;
    void settle(const Tile<T>&, long, const T*) {}  // weights stand where they are used

    void mix(const Tile<T>& t, const T* weights, T* out) {  // (width, 64) += V^T P^T
        if (!t.words) return product<T>(p.v_width, BLOCK, t.keys, {v, 1, v_by}, weights, BLOCK, out, BLOCK, true);
        for (long c = 0; c < COLUMNS; c += 2)
            strip<T, 8, 2>(p.v_width, t.high[c] - t.low[c], {v + t.low[c] * v_by, 1, v_by},
                            weights + t.low[c] * BLOCK + c * L, BLOCK, out + c * L, BLOCK, true);
    }

    template <class Place, class Soften>
    void sweep(const Entries& entries, long block, long b, long g, Place place, T* out, Soften soften) {
        for (long n = 0; n < entries.count(); ++n) {
            const long e = entries.at(n);
            Tile<T> t = entries.template tile<T>(e, block);
            t.range(KEYS_BY, COLUMNS_BY);
            read(t, b, g);
            T* const scores = place(e - entries.from);
            score(t, scores);
            for (long c = 0; c < COLUMNS; ++c) soften(t, c, e - entries.from);
            mix(t, scores, out);
        }
    }
};
