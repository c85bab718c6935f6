// The running softmax of 64 queries over the tiles of their keys (Milakov and Gimelshein 2018, arXiv 1805.02867).
#pragma once
#include "scores.h"

template <class T>
struct Running {
    alignas(64) T m[BLOCK];  // the reference: the largest score so far, or below it by a power of two that does no harm
    alignas(64) T l[BLOCK];  // sum of 2^(x - m)
    alignas(64) T z[BLOCK];  // sum of 2^(x - m) (x - m), for the entropy
    bool entropy;

    void open(bool with_entropy) {
        entropy = with_entropy;
        for (long i = 0; i < BLOCK; ++i) m[i] = NOTHING<T>, l[i] = z[i] = 0;
    }
};

template <class T>
inline Vec<T> reference(Vec<T> m) {  // a query that has met no key yet measures from 0
    return m == NOTHING<T> ? Vec<T>{} : m;
}

// The largest score of a vector's queries in the tile; scores that are not plain are finished in place first.
template <bool HALVES, class T>
inline Vec<T> largest(const Terms<T>& s, const Tile<T>& t, long column, T* scores) {
    constexpr long L = Lanes<T>::count, BY = Lie<HALVES>::by;
    Vec<T> top[4];
    for (auto& x : top) x = all<T>(NOTHING<T>);
    T* at = scores + Lie<HALVES>::of(column, L, BLOCK);
    long k = t.low[column];
    const long high = t.high[column];
    if (s.plain(t)) {
        for (; k + 4 <= high; k += 4)
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) top[i] = larger(top[i], load<Vec<T>>(at + (k + i) * BY));
        for (; k < high; ++k) top[0] = larger(top[0], load<Vec<T>>(at + k * BY));
    } else if (s.bent()) {
        for (; k < high; ++k) {
            const Vec<T> x = finished(s, t, k, column, load<Vec<T>>(at + k * BY));
            store(at + k * BY, x);
            top[0] = larger(top[0], x);
        }
    } else {
        for (; k + 2 <= high; k += 2)
#pragma GCC unroll 2
            for (int i = 0; i < 2; ++i) {
                const Vec<T> x = shifted(s, t, k + i, column, load<Vec<T>>(at + (k + i) * BY));
                store(at + (k + i) * BY, x);
                top[i] = larger(top[i], x);
            }
        for (; k < high; ++k) {
            const Vec<T> x = shifted(s, t, k, column, load<Vec<T>>(at + k * BY));
            store(at + k * BY, x);
            top[0] = larger(top[0], x);
        }
    }
    const Vec<T> found = larger(larger(top[0], top[1]), larger(top[2], top[3]));
    return s.plain(t) ? found * (s.factor * (T)LOG2E) : found;
}

// Move the reference of a vector's queries where the tile holds something far above it; true, with the factor on what has
// been summed so far, if it moved.
template <class T>
inline bool moved(Running<T>& run, long column, Vec<T> top, Vec<T>& shrink) {
    constexpr long L = Lanes<T>::count;
    const Vec<T> m = load<Vec<T>>(run.m + column * L);
    if (!above(top, m + (T)8)) return false;
    const Vec<T> now = larger(m, top), from = reference<T>(now);
    if (!above(m, all<T>(NOTHING<T>))) return store(run.m + column * L, now), false;  // nothing has been summed yet
    shrink = power(m - from);
    const Vec<T> l = load<Vec<T>>(run.l + column * L) * shrink;
    store(run.m + column * L, now);
    if (run.entropy) {
        const Vec<T> fall = m == NOTHING<T> ? Vec<T>{} : m - from;
        store(run.z + column * L, load<Vec<T>>(run.z + column * L) * shrink + l * fall);
    }
    store(run.l + column * L, l);
    return true;
}

// Where weights are written as they are.
template <bool HALVES, class T>
struct Rows {
    static constexpr long BY = Lie<HALVES>::by;
    T* to;
    void operator()(long key, Vec<T> a, Vec<T> b) const { store(to + key * BY, a), store(to + (key + 1) * BY, b); }
    void operator()(long key, Vec<T> a) const { store(to + key * BY, a); }
};

// Weights 2^(x - m) of a vector's queries, handed to `put`, two keys at a time; the sums go on. (Coarse ones are worked on by halves.)
template <bool COARSE, class T, class Put>
inline void weigh(Running<T>& run, const Terms<T>& s, const Tile<T>& t, long column, const T* scores, Put put) {
    constexpr long L = Lanes<T>::count, BY = Lie<COARSE>::by;
    const Vec<T> m = reference<T>(load<Vec<T>>(run.m + column * L));
    const T scale = s.plain(t) ? s.factor * (T)LOG2E : (T)1;
    const T* at = scores + Lie<COARSE>::of(column, L, BLOCK);
    Vec<T> l[2] = {};
    if (run.entropy) {
        Vec<T> z = {};
        const auto one = [&](long k) {
            const Vec<T> y = larger(load<Vec<T>>(at + k * BY) * scale - m, all<T>(-1000));
            const Vec<T> w = power<COARSE>(y);
            l[0] += w, z += w * y;
            return w;
        };
        long k = t.low[column];
        for (; k + 2 <= t.high[column]; k += 2) {
            const Vec<T> a = one(k);
            put(k, a, one(k + 1));
        }
        if (k < t.high[column]) put(k, one(k));
        store(run.z + column * L, load<Vec<T>>(run.z + column * L) + z);
    } else {
        long k = t.low[column];
        for (; k + 2 <= t.high[column]; k += 2) {
            const Vec<T> a = power<COARSE>(load<Vec<T>>(at + k * BY) * scale - m);
            const Vec<T> b = power<COARSE>(load<Vec<T>>(at + (k + 1) * BY) * scale - m);
            l[0] += a, l[1] += b;
            put(k, a, b);
        }
        if (k < t.high[column]) {
            const Vec<T> a = power<COARSE>(load<Vec<T>>(at + k * BY) * scale - m);
            l[0] += a;
            put(k, a);
        }
    }
    store(run.l + column * L, load<Vec<T>>(run.l + column * L) + (l[0] + l[1]));
}

// Close the sums of a block: the log-sum-exp of each query and what its 2^(x - m) are multiplied by to be weights, the sink's
// share taken out; -inf and 0 where it attends to nothing.
template <class T>
void close(const Running<T>& run, const double* sink, T* lse, T* inverse, T* reference_of) {
    for (long i = 0; i < BLOCK; ++i) {
        reference_of[i] = run.m[i];
        if (run.m[i] == NOTHING<T> || run.l[i] == 0) {
            lse[i] = NOTHING<T>, inverse[i] = 0;
            continue;
        }
        const T m = run.m[i] * (T)LN2;
        if (!sink) {
            lse[i] = m + std::log(run.l[i]);
            inverse[i] = 1 / run.l[i];
            continue;
        }
        const T peak = std::max(m, (T)*sink), shrunk = std::exp(m - peak), every = run.l[i] * shrunk + std::exp((T)*sink - peak);
        lse[i] = peak + std::log(every);
        inverse[i] = shrunk / every;
    }
}
