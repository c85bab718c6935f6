// What else a block can tell while its weights pass by, in memory that grows with the length: entropy, mass by distance, mass
// on the first keys, the heaviest keys, and (panel.h) mass that each key receives.
#pragma once
#include <type_traits>

#include "panel.h"

constexpr long FIRST = 4;  // keys counted as sinks: attention/summary.py

inline long bucket_of(long distance) { return distance == 0 ? 0 : 64 - __builtin_clzl(distance); }

template <class T, bool HALVES>
struct Extras {
    static constexpr long L = Lanes<T>::count, COLUMNS = BLOCK / L;
    using Place = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
    const Problem& p;
    Panel<T, HALVES> panel;
    long b, h, block;
    T *sink, *far, *best;
    Place* best_key;

    static size_t bytes(const Problem& p) {
        return (BLOCK * (1 + p.buckets + p.top_n) + 1024) * sizeof(T) + p.top_n * BLOCK * 8 + 64 + Panel<T, HALVES>::bytes(p);
    }
    Extras(const Problem& p, Arena& arena) : p(p), panel(p, arena) {
        sink = arena.take<T>(BLOCK);
        far = arena.take<T>(p.buckets * BLOCK);
        best = arena.take<T>(p.top_n * BLOCK);
        best_key = arena.take<Place>(p.top_n * BLOCK);
    }

    // Whether the tile's weights must be looked at one by one, beyond their sums.
    bool looks(const Tile<T>& t) const {
        return (panel.on && !panel.direct) || (p.sink_mass && t.key == 0) || (p.distance && !in_one(t));
    }
    bool in_one(const Tile<T>& t) const { return bucket_of(nearest(t)) == bucket_of(farthest(t)); }
    long first(const Tile<T>& t) const { return t.query + p.k_len - p.q_len - t.key; }
    long nearest(const Tile<T>& t) const {
        const long low = first(t) - t.keys + 1, high = first(t) + BLOCK - 1;
        return low > 0 ? low : high < 0 ? -high : 0;
    }
    long farthest(const Tile<T>& t) const { return std::max(std::abs(first(t) - t.keys + 1), std::abs(first(t) + BLOCK - 1)); }

    void open(long b_, long h_, long block_, long entries, bool thinned) {
        b = b_, h = h_, block = block_;
        panel.open(b, h, block, entries, thinned);
        if (p.sink_mass) std::fill(sink, sink + BLOCK, (T)0);
        if (p.distance) std::fill(far, far + p.buckets * BLOCK, (T)0);
        if (p.top) {
            std::fill(best, best + p.top_n * BLOCK, NOTHING<T>);
            std::fill(best_key, best_key + p.top_n * BLOCK, 0);
        }
    }

    void shrink(long column, Vec<T> by) {
        const auto scale = [&](T* from) { store(from + column * L, load<Vec<T>>(from + column * L) * by); };
        if (p.sink_mass) scale(sink);
        if (p.distance)
            for (long i = 0; i < p.buckets; ++i) scale(far + i * BLOCK);
    }

    // Scores that reach the heaviest so far; in powers of two, before the weights take their place.
    void scores(const Tile<T>& t, long column, T scale, const T* from) {
        if (!p.top) return;
        const T* least = best + (p.top_n - 1) * BLOCK + column * L;
        constexpr long BY = Lie<HALVES>::by;
        from += Lie<HALVES>::of(column, L, BLOCK);
        long k = t.low[column];
        for (; k + 4 <= t.high[column]; k += 4) {
            const T* at_key = from + k * BY;
            const Vec<T> top = larger(larger(load<Vec<T>>(at_key), load<Vec<T>>(at_key + BY)),
                                      larger(load<Vec<T>>(at_key + 2 * BY), load<Vec<T>>(at_key + 3 * BY)));
            if (scale > 0 && !above(top * scale, load<Vec<T>>(least))) continue;
            for (long i = k; i < k + 4; ++i) reach(t, i, column, load<Vec<T>>(from + i * BY) * scale, least);
        }
        for (; k < t.high[column]; ++k) reach(t, k, column, load<Vec<T>>(from + k * BY) * scale, least);
    }
    // Each query's score takes its place among the heaviest and pushes the lesser ones on; of equals the earlier stays before.
    void reach(const Tile<T>& t, long k, long column, Vec<T> x, const T* least) {
        if (!above(x, load<Vec<T>>(least))) return;
        Int<T> key = Int<T>{} + (Place)(t.key + k);
        for (long n = 0; n < p.top_n; ++n) {
            T* at = best + n * BLOCK + column * L;
            Place* at_key = best_key + n * BLOCK + column * L;
            const Vec<T> held = load<Vec<T>>(at);
            const Int<T> held_key = load<Int<T>>(at_key), more = x > held;
            store(at, more ? x : held), store(at_key, more ? key : held_key);
            x = more ? held : x, key = more ? held_key : key;
        }
    }

    // A vector's queries in a tile whose weights are all at one distance, by their sum.
    void sum(const Tile<T>& t, long c, Vec<T> mass) {
        if (p.distance && in_one(t)) add(far + bucket_of(nearest(t)) * BLOCK, c, mass);
    }

    // The same where they must be looked at; `entry` counts the tiles of the block.
    void look(const Tile<T>& t, long c, long entry, const Running<T>& run, const T* weights) {
        if (p.sink_mass && t.key == 0)
            for (long k = t.low[c]; k < std::min(t.high[c], FIRST); ++k) add(sink, c, load<Vec<T>>(weights + Lie<HALVES>::of(c, L, BLOCK) + k * Lie<HALVES>::by));
        if (p.distance && !in_one(t)) measure(t, c, weights);
        if (panel.on && !panel.direct) panel.keep(t, c, entry, run, weights);
    }
    static void add(T* to, long column, Vec<T> x) { store(to + column * L, load<Vec<T>>(to + column * L) + x); }

    // Near the diagonal a tile spans several buckets, but a vector of queries and one key only one or two.
    void measure(const Tile<T>& t, long c, const T* weights) {
        constexpr long MOST = 40;
        const long least = bucket_of(nearest(t)), most = std::min(bucket_of(farthest(t)), (long)p.buckets - 1);
        Vec<T> sums[MOST];
        for (long n = least; n <= most; ++n) sums[n] = Vec<T>{};
        Int<T> place;
        for (long i = 0; i < L; ++i) place[i] = i;
        for (long k = t.low[c]; k < t.high[c]; ++k) {
            const Vec<T> w = load<Vec<T>>(weights + Lie<HALVES>::of(c, L, BLOCK) + k * Lie<HALVES>::by);
            const long low = first(t) + c * L - k, high = low + L - 1;
            const long near = low > 0 ? low : high < 0 ? -high : 0, far_end = std::max(std::abs(low), std::abs(high));
            const long from = bucket_of(near), to = std::min(bucket_of(far_end), most);
            if (from >= to) {
                sums[std::min(from, most)] += w;
                continue;
            }
            Int<T> distance = place + (Place)low;
            distance = distance < 0 ? -distance : distance;
            for (long n = from; n <= to; ++n) {
                const Place begin = n == 0 ? 0 : 1l << (n - 1), end = n == 0 ? 0 : (1l << n) - 1;
                sums[n] += ((distance >= begin) & (distance <= end)) ? w : Vec<T>{};
            }
        }
        for (long n = least; n <= most; ++n) add(far + n * BLOCK, c, sums[n]);
    }

    void finish(const Running<T>& run, const T* lse, const T* inverse) {
        const long i = block * BLOCK, rows = std::min(BLOCK, (long)p.q_len - i), row = (b * p.h + h) * p.q_len + i;
        if (p.entropy)
            for (long r = 0; r < rows; ++r) {
                const T w = inverse[r];
                ((T*)p.entropy)[row + r] = w == 0 ? 0 : -w * ((T)LN2 * run.z[r] + std::log(w) * run.l[r]);
            }
        if (p.sink_mass)
            for (long r = 0; r < rows; ++r) ((T*)p.sink_mass)[row + r] = sink[r] * inverse[r];
        if (p.distance)
            for (long n = 0; n < p.buckets; ++n) {
                double sum = 0;
                for (long r = 0; r < rows; ++r) sum += far[n * BLOCK + r] * inverse[r];
                double* to = (double*)p.distance + (b * p.h + h) * p.buckets + n;
                gather(to, sum);
            }
        if (p.top)
            for (long r = 0; r < rows; ++r)
                for (long n = 0; n < p.top_n; ++n) {
                    const T x = best[n * BLOCK + r];
                    ((T*)p.top)[(row + r) * p.top_n + n] = x == NOTHING<T> ? 0 : std::exp2(x - run.m[r]) * inverse[r];
                    ((int64_t*)p.top_index)[(row + r) * p.top_n + n] = best_key[n * BLOCK + r];
                }
        if (panel.on) panel.finish(run, inverse, rows);
    }

    static void gather(double* to, double x) {
#pragma omp atomic
        *to += x;
    }
};
