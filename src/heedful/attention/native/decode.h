// Few queries against many keys, bound by reading them: each key and value once, where it lies, for all the queries of the heads
// that share it. The keys are ranges of the cache; where there are fewer heads than threads could take, each head's keys are
// shared out and what was found of them is merged by its log-sum-exp (Dao et al. 2023, Flash-Decoding).
#pragma once
#include "reading.h"
#include "tile.h"

struct Step {  // mirrored in decode.py
    Matrix q, k, v, out;
    void* lse;               // (b, h, q), real, or null
    const double* factor;    // (h), or null: `scale` for all
    const double* sinks;     // (h), or null
    const int64_t* ranges;   // start and stop of each range, in order and apart; kept keys are counted through them all
    const void* added;       // (b, h, q, kept), real, or null
    int64_t added_b, added_h, added_q, added_n;
    const uint8_t* allowed;  // (b, h, q, kept), 0 or 1, or null: all are
    int64_t allowed_b, allowed_h, allowed_q, allowed_n;
    int64_t count, b, h, g, q_len, d, v_width, kind, threads;
    double scale, softcap;   // softcap 0: none
};

// What is known of each row after some of the keys.
template <class T>
struct Partial {
    T *m, *l, *sum;  // the largest x, the sum of 2^(x - m), and of 2^(x - m) v

    static long numbers(long rows, long v_wide) { return 2 * padded(rows) + rows * v_wide; }
    static long padded(long rows) { return (rows + Lanes<T>::count - 1) / Lanes<T>::count * Lanes<T>::count; }
    Partial(T* at, long rows) : m(at), l(at + padded(rows)), sum(at + 2 * padded(rows)) {}
};

template <class T>
inline T power_of(T x) {
    return power(all<T>(x))[0];
}

template <class Number>
struct Decode {
    using Read = Reading<Number>;
    using T = typename Read::T;
    using V = Vec<T>;
    using Raw = typename Read::Raw;
    static constexpr long L = Lanes<T>::count, TILE = 128, AHEAD = 8;  // AHEAD: how many keys early memory is asked for one
    static constexpr long COLUMNS = 4 / Read::parts;  // raw vectors of values that are summed at a time

    const Step& s;
    const long rows, d_wide, v_wide, group;
    Number* queries;  // (rows, d_wide)
    T* scores;        // (rows, TILE): then weights

    static long rows_of(const Step& s) { return s.h / s.g * s.q_len; }
    static long wide(long width) { return (width + Read::wide - 1) / Read::wide * Read::wide; }
    static size_t bytes(const Step& s) { return rows_of(s) * (wide(s.d) * sizeof(Number) + TILE * sizeof(T)) + 128; }

    Decode(const Step& step, Arena& arena)
        : s(step), rows(rows_of(step)), d_wide(wide(step.d)), v_wide(wide(step.v_width)), group(step.h / step.g) {
        queries = arena.take<Number>(rows * d_wide);
        scores = arena.take<T>(rows * TILE);
    }

    long head(long g, long row) const { return g * group + row / s.q_len; }

    // Kept keys first to last of key/value head g of sequence b.
    void operator()(long b, long g, long first, long last, Partial<T> found) {
        open(b, g, found);
        const Number* k = (const Number*)s.k.data + b * s.k.b + g * s.k.h;
        const Number* v = (const Number*)s.v.data + b * s.v.b + g * s.v.h;
        long before = 0;  // kept keys of the ranges before
        for (long i = 0; i < s.count; ++i) {
            const long start = s.ranges[2 * i], size = s.ranges[2 * i + 1] - start, until = std::min(last, before + size);
            for (long at = std::max(first, before); at < until; at += TILE) {
                const long keys = std::min(TILE, until - at), place = start + at - before;
                products(keys, k + place * s.k.n);
                for (long r = 0; r < rows; ++r) weigh(b, head(g, r), r, at, keys, found);
                mix(keys, v + place * s.v.n, found.sum);
            }
            before += size;
        }
    }

    void open(long b, long g, Partial<T> found) {
        for (long r = 0; r < rows; ++r) {
            const Number* q = (const Number*)s.q.data + b * s.q.b + head(g, r) * s.q.h + r % s.q_len * s.q.n;
            std::memcpy(queries + r * d_wide, q, s.d * sizeof(Number));
            std::memset(queries + r * d_wide + s.d, 0, (d_wide - s.d) * sizeof(Number));
            found.m[r] = NOTHING<T>, found.l[r] = 0;
        }
        std::memset(found.sum, 0, rows * v_wide * sizeof(T));
    }

    // scores = q k for the keys of a tile; beyond the last, up to a whole vector, as that one's.
    void products(long keys, const Number* k) {
        const long whole = s.d / Read::wide, left = s.d % Read::wide;
        for (long j = 0; j < keys; j += L) {
            const Number* key[L];
            for (long i = 0; i < L; ++i) key[i] = k + std::min(j + i, keys - 1) * s.k.n;
            ahead(L, k + (j + AHEAD) * s.k.n, s.k.n, s.d);
            for (long r = 0; r < rows; ++r) {
                const Number* q = queries + r * d_wide;
                V x[L] = {};
                for (long c = 0; c < whole; ++c) {
                    const Raw with = Read::whole(q + c * Read::wide);
#pragma GCC unroll 16
                    for (long i = 0; i < L; ++i) x[i] = Read::multiplied(x[i], with, Read::whole(key[i] + c * Read::wide));
                }
                if (left) {
                    const Raw with = Read::whole(q + whole * Read::wide);
#pragma GCC unroll 16
                    for (long i = 0; i < L; ++i) x[i] = Read::multiplied(x[i], with, Read::some(key[i] + whole * Read::wide, left));
                }
                store(scores + r * TILE + j, sums(x));
            }
        }
    }

    // Ask for rows that come next.
    static void ahead(long rows, const Number* from, long by, long width) {
        for (long i = 0; i < rows; ++i)
            for (long c = 0; c < width; c += 64 / (long)sizeof(Number)) __builtin_prefetch(from + i * by + c);
    }

    // One row's scores as weights 2^(x - m), and what was summed before brought to the same m.
    void weigh(long b, long h, long row, long at, long keys, Partial<T> found) {
        T* score = scores + row * TILE;
        const long i = row % s.q_len;
        const T factor = (T)(s.factor ? s.factor[h] : s.scale);
        const T* added = s.added ? (const T*)s.added + b * s.added_b + h * s.added_h + i * s.added_q + at * s.added_n : nullptr;
        const uint8_t* allowed =
            s.allowed ? s.allowed + b * s.allowed_b + h * s.allowed_h + i * s.allowed_q + at * s.allowed_n : nullptr;
        V top = all<T>(NOTHING<T>);
        for (long j = 0; j < keys; j += L) {
            const long some = std::min(L, keys - j);
            V x = load<V>(score + j);
            x = s.softcap == 0 ? x * (T)(factor * LOG2E) : capped(x * factor, (T)s.softcap);
            if (added) x += strided(added + j * s.added_n, s.added_n, some) * (T)LOG2E;
            if (allowed) x = only(x, bits(allowed + j * s.allowed_n, s.allowed_n, some), NOTHING<T>);
            if (some < L) x = only(x, (1u << some) - 1, NOTHING<T>);
            store(score + j, x);
            top = larger(x, top);
        }
        T m = found.m[row];
        for (long j = 0; j < L; ++j) m = top[j] > m ? top[j] : m;
        const T from = m == NOTHING<T> ? 0 : m;
        if (m > found.m[row]) {
            const T shrink = power_of(found.m[row] - from);
            found.m[row] = m, found.l[row] *= shrink;
            T* sum = found.sum + row * v_wide;
            for (long c = 0; c < v_wide; c += L) store(sum + c, load<V>(sum + c) * shrink);
        }
        V l{};
        for (long j = 0; j < keys; j += L) {
            const V p = power(load<V>(score + j) - from);
            store(score + j, p);
            l += p;
        }
        found.l[row] += total<T>(l);
    }

    // log2(e) c tanh(x / c)
    static V capped(V x, T softcap) {
        const V u = x * (T)(2 * LOG2E) / softcap, e = power(u < (T)100 ? u : all<T>(100));
        return ((T)1 - (T)2 / (e + (T)1)) * (T)(softcap * LOG2E);
    }
    static V strided(const T* from, long by, long count) {
        if (by == 1 && count == L) return load<V>(from);
        V x{};
        for (long i = 0; i < count; ++i) x[i] = from[i * by];
        return x;
    }
    static uint32_t bits(const uint8_t* from, long by, long count) {
        uint32_t found = 0;
        for (long i = 0; i < count; ++i) found |= (uint32_t)(from[i * by] != 0) << i;
        return found;
    }

    // sum += weights times the values of a tile
    void mix(long keys, const Number* v, T* sum) {
        long r = 0;
        for (; r + 4 <= rows; r += 4) mix_rows<4>(r, keys, v, sum + r * v_wide);
        for (; r + 2 <= rows; r += 2) mix_rows<2>(r, keys, v, sum + r * v_wide);
        if (r < rows) mix_rows<1>(r, keys, v, sum + r * v_wide);
    }
    template <int R>
    void mix_rows(long row, long keys, const Number* v, T* sum) {
        const long whole = s.v_width / Read::wide;
        long c = 0;
        for (; c + COLUMNS <= whole; c += COLUMNS) mix_columns<R, COLUMNS>(row, keys, v, c * Read::wide, Read::wide, sum);
        for (; c < whole; ++c) mix_columns<R, 1>(row, keys, v, c * Read::wide, Read::wide, sum);
        if (s.v_width % Read::wide) mix_columns<R, 1>(row, keys, v, c * Read::wide, s.v_width % Read::wide, sum);
    }
    // R rows, C raw vectors of each value from column `at` on, the last of them with `width` numbers; each key in turn adds to
    // one of two sums where registers allow, so that additions need not wait for each other.
    template <int R, int C>
    void mix_columns(long row, long keys, const Number* v, long at, long width, T* sum) {
        constexpr int P = Read::parts, WAYS = R <= 2 ? 2 : 1;
        V x[WAYS][R][C * P] = {};
        const T* p = scores + row * TILE;
        const auto add = [&](long j, V (&into)[R][C * P]) {
            const Number* value = v + j * s.v.n + at;
            V y[C * P];
#pragma GCC unroll 4
            for (int c = 0; c < C; ++c)
                Read::widened(C > 1 || width == Read::wide ? Read::whole(value + c * Read::wide) : Read::some(value, width), y + c * P);
#pragma GCC unroll 4
            for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
                for (int c = 0; c < C * P; ++c) into[r][c] += y[c] * all<T>(p[r * TILE + j]);
        };
        long j = 0;
        for (; j + WAYS <= keys; j += WAYS) {
            if (row == 0) ahead(WAYS, v + (j + AHEAD) * s.v.n + at, s.v.n, C * Read::wide);
#pragma GCC unroll 2
            for (int w = 0; w < WAYS; ++w) add(j + w, x[w]);
        }
        for (; j < keys; ++j) add(j, x[0]);
        for (int r = 0; r < R; ++r)
            for (int c = 0; c < C * P; ++c) {
                T* to = sum + r * v_wide + at + c * L;
                store(to, load<V>(to) + (WAYS > 1 ? x[0][r][c] + x[WAYS - 1][r][c] : x[0][r][c]));
            }
    }

    // The rows of a key/value head from all that was found of it, a share every `by` numbers.
    void finish(long b, long g, T* found, long shares, long by) const {
        for (long r = 0; r < rows; ++r) {
            const long h = head(g, r);
            const T sink = s.sinks ? (T)(s.sinks[h] * LOG2E) : NOTHING<T>;
            T m = sink;
            for (long n = 0; n < shares; ++n) m = std::max(m, Partial<T>(found + n * by, rows).m[r]);
            const T from = m == NOTHING<T> ? 0 : m;
            T l = power_of(sink - from);
            Partial<T> into(found, rows);
            T* sum = into.sum + r * v_wide;
            bool seen = false;  // any key
            for (long n = 0; n < shares; ++n) {
                const Partial<T> part(found + n * by, rows);
                const T* other = part.sum + r * v_wide;
                const T weight = power_of(part.m[r] - from);
                l += part.l[r] * weight;
                seen |= part.l[r] != 0;
                for (long c = 0; c < v_wide; c += L)
                    store(sum + c, n ? load<V>(sum + c) + load<V>(other + c) * weight : load<V>(other + c) * weight);
            }
            const T scale = l == 0 ? 0 : 1 / l;
            Number* out = (Number*)s.out.data + b * s.out.b + h * s.out.h + r % s.q_len * s.out.n;
            for (long c = 0; c < s.v_width; ++c) {
                const long within = c % Read::wide, vector = c / Read::wide * Read::parts + within % Read::parts;
                out[c] = narrow<Number>(sum[vector * L + within / Read::parts] * scale);
            }
            if (s.lse) ((T*)s.lse)[(b * s.h + h) * s.q_len + r % s.q_len] = seen ? (T)((m + std::log2(l)) * LN2) : NOTHING<T>;
        }
    }
};
