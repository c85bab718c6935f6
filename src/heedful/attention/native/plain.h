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
    static constexpr long KEYS_BY = 8, COLUMNS_BY = 1, L = Lanes<T>::count, COLUMNS = BLOCK / L;
    T *q, *k, *v, *own_k, *own_v;
    long k_by, v_by;
    const Problem& p;

    static size_t bytes(const Problem& p) { return (3 * BLOCK * (p.d + p.v_width) + 64) * sizeof(T); }
    static size_t packed_bytes(const Problem&) { return 0; }
    static void pack(const Problem&, char*, long, long, long) {}

    Plain(const Problem& p, Arena& arena, const char*) : p(p) {
        q = arena.take<T>(p.d * BLOCK);
        own_k = arena.take<T>(p.d * BLOCK);
        own_v = arena.take<T>(p.v_width * BLOCK);
    }

    void open(long b, long h, long block) {  // the queries, turned: (d, 64)
        const long i = block * BLOCK, rows = std::min(BLOCK, (long)p.q_len - i);
        const In* from = row_of<const In>(p.q, b, h, i);
        if (rows < BLOCK) std::memset(q, 0, p.d * BLOCK * sizeof(T));
        long by;
        turn(rows, p.d, gathered(from, p.q.n, rows, p.d, own_k, by), p.d, q, BLOCK);
    }

    void read(const Tile<T>& t, long b, long g) {  // the tile's keys and values, as numbers to compute with
        const In *keys = row_of<const In>(p.k, b, g, t.key), *values = row_of<const In>(p.v, b, g, t.key);
        k = gathered(keys, p.k.n, t.keys, p.d, own_k, k_by);
        v = gathered(values, p.v.n, t.keys, p.v_width, own_v, v_by);
    }
    // Rows with gaps between them are brought together: at strides of a power of two they would fight for a few lines of cache.
    static T* gathered(const In* from, long by, long rows, long width, T* to, long& out_by) {
        out_by = width;
        if constexpr (SAME)
            if (by == width) return (T*)from;
        unfold(rows, rows, width, width, from, by, to);
        return to;
    }

    // The keys of a masked tile that are wanted: those of two vectors together where both want them, the rest of each.
    template <class Part>
    static void by_ranges(const Tile<T>& t, Part part) {
        const auto some = [&](long c, bool two, long from, long to) {
            if (from < to) part(c, two, from, to);
        };
        for (long c = 0; c < COLUMNS; c += 2) {
            const long from = std::max(t.low[c], t.low[c + 1]), to = std::min(t.high[c], t.high[c + 1]);
            some(c, true, from, to);
            for (long i = c; i < c + 2; ++i) {
                if (from >= to) {
                    some(i, false, t.low[i], t.high[i]);
                } else {
                    some(i, false, t.low[i], from);
                    some(i, false, to, t.high[i]);
                }
            }
        }
    }
    static void add_part(bool two, long rows, long keys, Strided<T> a, const T* b, T* c) {
        if (two)
            strip<T, 8, 2>(rows, keys, a, b, BLOCK, c, BLOCK, true);
        else
            strip<T, 16, 1>(rows, keys, a, b, BLOCK, c, BLOCK, true);
    }

    void score(const Tile<T>& t, T* scores) {  // (keys, 64) = K Q^T
        if (!t.words) return product<T>(t.keys, BLOCK, p.d, {k, k_by, 1}, q, BLOCK, scores, BLOCK, false);
        by_ranges(t, [&](long c, bool two, long from, long to) {
            const Strided<T> a{k + from * k_by, k_by, 1};
            T* at = scores + from * BLOCK + c * L;
            if (two)
                strip<T, 8, 2>(to - from, p.d, a, q + c * L, BLOCK, at, BLOCK, false);
            else
                strip<T, 16, 1>(to - from, p.d, a, q + c * L, BLOCK, at, BLOCK, false);
        });
    }

    template <class Run>
    void weigh_column(Run& run, const Terms<T>& s, const Tile<T>& t, long c, T* scores) {
        weigh<COARSE>(run, s, t, c, scores, Rows<COARSE, T>{scores + c * L});
    }
    bool weigh_at_once(Running<T>&, const Terms<T>&, const Tile<T>&, long, T*) { return false; }  // they stand in the scores' place
    void mix_held(T*) {}
    static constexpr uint32_t* slot = nullptr;
    void settle(const Tile<T>&, long, const T*) {}  // weights stand where they are used

    void mix(const Tile<T>& t, const T* weights, T* out) {  // (width, 64) += V^T P^T
        if (!t.words) return product<T>(p.v_width, BLOCK, t.keys, {v, 1, v_by}, weights, BLOCK, out, BLOCK, true);
        by_ranges(t, [&](long c, bool two, long from, long to) {
            add_part(two, p.v_width, to - from, {v + from * v_by, 1, v_by}, weights + from * BLOCK + c * L, out + c * L);
        });
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
