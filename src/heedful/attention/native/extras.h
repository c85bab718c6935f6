// What else a block can tell while its weights pass by, in memory that grows with the length: entropy, mass by distance, mass
// on the first keys, the heaviest keys, mass that each key receives, and the weights of some heads.
#pragma once
#include <type_traits>

#include "halves.h"
#include "softmax.h"

constexpr long FIRST = 4;  // keys counted as sinks: attention/summary.py

inline long bucket_of(long distance) { return distance == 0 ? 0 : 64 - __builtin_clzl(distance); }

template <class T, bool HALVES>
struct Extras {
    static constexpr long L = Lanes<T>::count, COLUMNS = BLOCK / L;
    using Place = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
    const Problem& p;
    long b, h, block;
    T *sink, *far, *best, *panel, *at;  // panel: the weights of the block's tiles, each with its references in `at`
    int64_t* best_index;
    long* keys;    // of each tile of the panel, its first key, or -1
    long kept;
    bool panels, writes, direct;  // direct: the engine writes its weights where the panel is

    static long tiles(const Problem& p) { return p.columns || p.weights ? (p.k_len + BLOCK - 1) / BLOCK : 0; }
    static size_t bytes(const Problem& p) {
        return (BLOCK * (1 + p.buckets + p.top_n) + tiles(p) * BLOCK * (BLOCK + 1) + 1024) * sizeof(T) + p.top_n * BLOCK * 8 + tiles(p) * 8;
    }
    Extras(const Problem& p, Arena& arena) : p(p) {
        sink = arena.take<T>(BLOCK);
        far = arena.take<T>(p.buckets * BLOCK);
        best = arena.take<T>(p.top_n * BLOCK);
        best_index = arena.take<int64_t>(p.top_n * BLOCK);
        panel = arena.take<T>(tiles(p) * BLOCK * BLOCK);
        at = arena.take<T>(tiles(p) * BLOCK);
        keys = arena.take<long>(tiles(p));
    }

    long row_of_weights(long head) const { return p.weights ? ((const int32_t*)p.weight_of)[head] : -1; }
    bool written(long head, long block) const {  // whether any query of the block is asked for
        if (row_of_weights(head) < 0) return false;
        const int32_t* line = (const int32_t*)p.weight_at;
        for (long i = block * BLOCK; i < std::min((block + 1) * BLOCK, (long)p.q_len); ++i)
            if (line[i] >= 0) return true;
        return false;
    }
    bool panelled(long head, long block) const { return p.columns || written(head, block); }

    // Whether the tile's weights must be looked at one by one, beyond their sums.
    bool looks(const Tile<T>& t) const {
        return p.top || (panels && !direct) || (p.sink_mass && t.key == 0) || (p.distance && !in_one(t));
    }
    bool in_one(const Tile<T>& t) const { return bucket_of(nearest(t)) == bucket_of(farthest(t)); }
    long first(const Tile<T>& t) const { return t.query + p.k_len - p.q_len - t.key; }
    long nearest(const Tile<T>& t) const {
        const long low = first(t) - t.keys + 1, high = first(t) + BLOCK - 1;
        return low > 0 ? low : high < 0 ? -high : 0;
    }
    long farthest(const Tile<T>& t) const { return std::max(std::abs(first(t) - t.keys + 1), std::abs(first(t) + BLOCK - 1)); }

    void open(long b_, long h_, long block_, long entries, bool thinned) {
        b = b_, h = h_, block = block_, kept = entries;
        panels = panelled(h, block), writes = written(h, block);
        direct = panels && paired() && !thinned && !p.top;
        if (panels) std::fill(keys, keys + kept, -1);
        if (p.sink_mass) std::fill(sink, sink + BLOCK, (T)0);
        if (p.distance) std::fill(far, far + p.buckets * BLOCK, (T)0);
        if (p.top) {
            std::fill(best, best + p.top_n * BLOCK, NOTHING<T>);
            std::fill(best_index, best_index + p.top_n * BLOCK, 0);
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
        from += column * L;
        long k = t.low[column];
        for (; k + 4 <= t.high[column]; k += 4) {
            const T* at_key = from + k * BLOCK;
            const Vec<T> top = larger(larger(load<Vec<T>>(at_key), load<Vec<T>>(at_key + BLOCK)),
                                      larger(load<Vec<T>>(at_key + 2 * BLOCK), load<Vec<T>>(at_key + 3 * BLOCK)));
            if (scale > 0 && !above(top * scale, load<Vec<T>>(least))) continue;
            for (long i = k; i < k + 4; ++i) reach(t, i, column, load<Vec<T>>(from + i * BLOCK) * scale, least);
        }
        for (; k < t.high[column]; ++k) reach(t, k, column, load<Vec<T>>(from + k * BLOCK) * scale, least);
    }
    void reach(const Tile<T>& t, long k, long column, Vec<T> x, const T* least) {
        for (uint32_t bits = above(x, load<Vec<T>>(least)); bits; bits &= bits - 1) {
            const long i = __builtin_ctz(bits);
            insert(column * L + i, x[i], t.key + k);
        }
    }
    void insert(long query, T x, long key) {
        long n = p.top_n - 1;
        for (; n > 0 && best[(n - 1) * BLOCK + query] < x; --n) {
            best[n * BLOCK + query] = best[(n - 1) * BLOCK + query];
            best_index[n * BLOCK + query] = best_index[(n - 1) * BLOCK + query];
        }
        best[n * BLOCK + query] = x;
        best_index[n * BLOCK + query] = key;
    }

    // A vector's queries in a tile whose weights are all at one distance, by their sum.
    void sum(const Tile<T>& t, long c, Vec<T> mass) {
        if (p.distance && in_one(t)) add(far + bucket_of(nearest(t)) * BLOCK, c, mass);
    }

    // The same where they must be looked at; `entry` counts the tiles of the block.
    void look(const Tile<T>& t, long c, long entry, const Running<T>& run, const T* weights) {
        if (p.sink_mass && t.key == 0)
            for (long k = t.low[c]; k < std::min(t.high[c], FIRST); ++k) add(sink, c, load<Vec<T>>(weights + k * BLOCK + c * L));
        if (p.distance && !in_one(t)) measure(t, c, weights);
        if (panels) keep(t, c, entry, run, weights);
    }
    static void add(T* to, long column, Vec<T> x) { store(to + column * L, load<Vec<T>>(to + column * L) + x); }

    void measure(const Tile<T>& t, long c, const T* weights) {
        for (long n = bucket_of(nearest(t)); n <= std::min(bucket_of(farthest(t)), (long)p.buckets - 1); ++n) {
            const Place from = n == 0 ? 0 : 1l << (n - 1), to = n == 0 ? 0 : (1l << n) - 1;
            Vec<T> sum = {};
            Int<T> place;
            for (long i = 0; i < L; ++i) place[i] = i;
            place += (Place)(first(t) + c * L);
            for (long k = t.low[c]; k < t.high[c]; ++k) {
                Int<T> distance = place - (Place)k;
                distance = distance < 0 ? -distance : distance;
                sum += ((distance >= from) & (distance <= to)) ? load<Vec<T>>(weights + k * BLOCK + c * L) : Vec<T>{};
            }
            add(far + n * BLOCK, c, sum);
        }
    }

    // Into the panel; as pairs of halves where only columns are summed of what is rounded to halves anyway.
    bool paired() const { return HALVES && !writes; }
    void keep(const Tile<T>& t, long c, long entry, const Running<T>& run, const T* weights) {
        T* to = panel + entry * BLOCK * BLOCK;
        const auto weight = [&](long k) { return k < t.low[c] || k >= t.high[c] ? Vec<T>{} : load<Vec<T>>(weights + k * BLOCK + c * L); };
        if (paired())
            for (long k = 0; k < t.keys; k += 2) store((uint32_t*)to + k / 2 * BLOCK + c * L, halved(weight(k), weight(k + 1)));
        else
            for (long k = 0; k < t.keys; ++k) store(to + k * BLOCK + c * L, weight(k));
        store(at + entry * BLOCK + c * L, load<Vec<T>>(run.m + c * L));
        keys[entry] = t.key;
    }
    uint32_t* slot(long entry) { return (uint32_t*)(panel + entry * BLOCK * BLOCK); }
    // The engine has written a vector's weights into the slot.
    void mark(const Tile<T>& t, long c, long entry, const Running<T>& run) {
        for (long k = 0; k < t.keys; k += 2)
            if (k < t.low[c] || k >= t.high[c]) store(slot(entry) + k / 2 * BLOCK + c * L, Vec<T>{});
        store(at + entry * BLOCK + c * L, load<Vec<T>>(run.m + c * L));
        keys[entry] = t.key;
    }
    // The upper halves of two words, rounded, in one; and out again.
    static Words halved(Vec<float> low, Vec<float> high) {
        return ((Words)low + 0x8000 >> 16) | ((Words)high + 0x8000 & 0xffff0000u);
    }
    static Words halved(Vec<double>, Vec<double>) { return Words{}; }

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
                    ((int64_t*)p.top_index)[(row + r) * p.top_n + n] = best_index[n * BLOCK + r];
                }
        if (panels) spread_out(run, inverse, rows);
    }

    static void gather(double* to, double x) {
#pragma omp atomic
        *to += x;
    }

    // The kept weights, each by what its reference has moved since and by 1 / l: into columns, and into the head's matrix.
    void spread_out(const Running<T>& run, const T* inverse, long rows) {
        long done = 0;  // keys of the matrix that are written
        for (long n = 0; n < kept; ++n) {
            if (keys[n] < 0) continue;
            alignas(64) T share[BLOCK];
            for (long r = 0; r < BLOCK; r += L) {
                const Vec<T> m = load<Vec<T>>(at + n * BLOCK + r), now = load<Vec<T>>(run.m + r);
                const Vec<T> x = m == NOTHING<T> ? Vec<T>{} : power(m - now) * load<Vec<T>>(inverse + r);
                store(share + r, x);
            }
            std::fill(share + rows, share + BLOCK, (T)0);
            const long count = std::min(BLOCK, (long)p.k_len - keys[n]);
            if (p.columns) sum_columns(panel + n * BLOCK * BLOCK, share, keys[n], count);
            if (writes) {
                blank(done, keys[n], rows);
                write(panel + n * BLOCK * BLOCK, share, keys[n], count, rows);
                done = keys[n] + count;
            }
        }
        if (writes) blank(done, p.k_len, rows);
    }

    void sum_columns(const T* from, const T* share, long key, long count) {
        double* to = (double*)p.columns + (b * p.h + h) * p.k_len + key;
        if (paired()) return sum_pairs((const uint32_t*)from, share, to, count);
        for (long k = 0; k < count; ++k) {
            Vec<T> sum = {};
            for (long c = 0; c < COLUMNS; ++c) sum += load<Vec<T>>(from + k * BLOCK + c * L) * load<Vec<T>>(share + c * L);
            gather(to + k, total<T>(sum));
        }
    }
    void sum_pairs(const uint32_t* from, const float* share, double* to, long count) {
        for (long k = 0; k < count; k += 2) {
            Vec<float> low = {}, high = {};
            for (long c = 0; c < COLUMNS; ++c) {
                const Words pair = load<Words>(from + k / 2 * BLOCK + c * L);
                const Vec<float> s = load<Vec<float>>(share + c * L);
                low += (Vec<float>)(pair << 16) * s;
                high += (Vec<float>)(pair & 0xffff0000u) * s;
            }
            gather(to + k, total<float>(low));
            if (k + 1 < count) gather(to + k + 1, total<float>(high));
        }
    }
    void sum_pairs(const uint32_t*, const double*, double*, long) {}

    // No weight on keys `from` to `to`.
    void blank(long from, long to, long rows) {
        const long size = p.kind == BF16 || p.kind == F16 ? 2 : sizeof(T);
        for (long r = 0; r < rows && from < to; ++r) {
            const long line = ((const int32_t*)p.weight_at)[block * BLOCK + r];
            if (line >= 0)
                std::memset((char*)p.weights + (((b * p.weight_heads + row_of_weights(h)) * p.weight_rows + line) * p.k_len + from) * size, 0,
                            (to - from) * size);
        }
    }

    void write(T* from, const T* share, long key, long count, long rows) {
        alignas(64) T turned[BLOCK * BLOCK];
        for (long k = 0; k < count; ++k)
            for (long c = 0; c < COLUMNS; ++c)
                store(from + k * BLOCK + c * L, load<Vec<T>>(from + k * BLOCK + c * L) * load<Vec<T>>(share + c * L));
        turn(count, rows, from, BLOCK, turned, BLOCK);
        const long line = (b * p.weight_heads + row_of_weights(h)) * p.weight_rows;
        for (long r = 0; r < rows; ++r) {
            const long at_query = ((const int32_t*)p.weight_at)[block * BLOCK + r], to = (line + at_query) * p.k_len + key;
            if (at_query < 0) continue;
            const T* row = turned + r * BLOCK;
            if (p.kind == BF16)
                narrow_row(row, count, (BFloat16*)p.weights + to);
            else if (p.kind == F16)
                narrow_row(row, count, (Float16*)p.weights + to);
            else
                std::memcpy((T*)p.weights + to, row, count * sizeof(T));
        }
    }
};
