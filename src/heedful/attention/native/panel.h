// What is kept of a block until its sums are known, in memory that grows with the length: its weights, tile by tile, for the
// mass that each key receives and for the weights of heads that are asked for.
#pragma once
#include "softmax.h"
#include "weights.h"

template <class T, bool HALVES>
struct Panel {
    static constexpr long L = Lanes<T>::count;
    const Problem& p;
    Weights<T> chosen;
    T *tiles, *at;  // of each tile of the block, its weights and the references they were taken by
    T *tile, *turned;  // one tile to work in
    long* keys;     // of each tile, its first key, or -1
    double* sums;   // of the keys, for this thread and the head it is at
    long count = 0, head = -1;
    bool on = false, direct = false;  // direct: the engine's weights are made where they are kept

    static long room(const Problem& p) { return p.columns || p.weights ? (p.k_len + BLOCK - 1) / BLOCK : 0; }
    static size_t bytes(const Problem& p) { return room(p) * (BLOCK * (BLOCK + 1) * sizeof(T) + 8 + BLOCK * 8) + 2 * BLOCK * BLOCK * sizeof(T) + 2048; }
    Panel(const Problem& p, Arena& arena) : p(p), chosen{p} {
        tiles = arena.take<T>(room(p) * BLOCK * BLOCK);
        at = arena.take<T>(room(p) * BLOCK);
        keys = arena.take<long>(room(p));
        sums = arena.take<double>(room(p) * BLOCK);
        tile = arena.take<T>(BLOCK * BLOCK);
        turned = arena.take<T>(BLOCK * BLOCK);
    }
    ~Panel() { deliver(); }

    void open(long b, long h, long block, long entries, bool thinned) {
        const bool writes = chosen.open(b, h, block);
        on = p.columns || writes;
        direct = on && !thinned;
        if (!on) return;
        count = entries;
        std::fill(keys, keys + count, -1);
        if (!p.columns || head == b * p.h + h) return;
        deliver();
        head = b * p.h + h;
        std::fill(sums, sums + room(p) * BLOCK, 0.0);
    }
    void deliver() {
        if (head < 0) return;
        double* to = (double*)p.columns + head * p.k_len;
        for (long k = 0; k < p.k_len; ++k)
#pragma omp atomic
            to[k] += sums[k];
    }

    void keep(const Tile<T>& t, long c, long entry, const Running<T>& run, const T* weights) {
        T* to = tiles + entry * BLOCK * BLOCK;
        const auto weight = [&](long k) { return k < t.low[c] || k >= t.high[c] ? Vec<T>{} : load<Vec<T>>(weights + Lie<HALVES>::of(c, L, BLOCK) + k * Lie<HALVES>::by); };
        if constexpr (HALVES)
            for (long k = 0; k < BLOCK; k += 2) store(pair(entry, k, c), halved(weight(k), weight(k + 1)));
        else
            for (long k = 0; k < BLOCK; ++k) store(to + k * BLOCK + c * L, weight(k));
        note(t, c, entry, run);
    }
    // The same where the engine has made a vector's weights itself: in a slot as pairs, or in the tile.
    uint32_t* slot(long entry) { return (uint32_t*)(tiles + entry * BLOCK * BLOCK); }
    uint32_t* pair(long entry, long k, long c) { return slot(entry) + Lie<true>::of(c, L, BLOCK / 2) + k / 2 * Lie<true>::by; }
    void mark(const Tile<T>& t, long c, long entry, const Running<T>& run) {
        const auto outside = [&](long k) { return k < t.low[c] || k >= t.high[c]; };
        if constexpr (HALVES) {
            for (long k = 0; k < BLOCK; k += 2)
                if (outside(k)) store(pair(entry, k, c), Vec<T>{});
        } else
            for (long k = 0; k < BLOCK; ++k)
                if (outside(k)) store(tiles + entry * BLOCK * BLOCK + k * BLOCK + c * L, Vec<T>{});
        note(t, c, entry, run);
    }
    void note(const Tile<T>& t, long c, long entry, const Running<T>& run) {
        store(at + entry * BLOCK + c * L, load<Vec<T>>(run.m + c * L));
        keys[entry] = t.key;
    }

    // Two words' upper halves, rounded, in one.
    static Words halved(Vec<float> low, Vec<float> high) {
        return (((Words)low + 0x8000) >> 16) | (((Words)high + 0x8000) & 0xffff0000u);
    }

    // Each weight by what its reference has moved since and by 1 / l: summed over the queries, and written.
    void finish(const Running<T>& run, const T* inverse, long rows) {
        const long columns = (rows + L - 1) / L;  // beyond them nothing is kept
        long done = 0;                            // keys whose weights are written
        for (long n = 0; n < count; ++n) {
            if (keys[n] < 0) continue;
            alignas(64) T share[BLOCK];
            for (long r = 0; r < BLOCK; r += L) {
                const Vec<T> m = load<Vec<T>>(at + n * BLOCK + r), now = load<Vec<T>>(run.m + r);
                store(share + r, m == NOTHING<T> ? Vec<T>{} : power(m - now) * load<Vec<T>>(inverse + r));
            }
            std::fill(share + rows, share + BLOCK, (T)0);
            if (p.columns) sum(n, share, columns);
            if (!chosen.writes) continue;
            const long held = std::min(BLOCK, (long)p.k_len - keys[n]);
            if constexpr (HALVES)
                unpair(slot(n), share, tile, held, columns);
            else
                scale(tiles + n * BLOCK * BLOCK, share, tile, held, columns);
            turn(held, rows, tile, BLOCK, turned, BLOCK);
            chosen.blank(done, keys[n]);
            chosen.write(turned, keys[n], held);
            done = keys[n] + held;
        }
        if (chosen.writes) chosen.blank(done, p.k_len);
    }

    void sum(long n, const T* share, long columns) {
        alignas(64) T parts[BLOCK * L], across[L * BLOCK];  // of each key, a vector to be summed across
        if constexpr (HALVES)
            pairs(slot(n), share, parts, columns);
        else
            numbers(tiles + n * BLOCK * BLOCK, share, parts, columns);
        turn(BLOCK, L, parts, L, across, BLOCK);
        for (long k = 0; k < BLOCK; ++k) {
            T total = 0;
            for (long i = 0; i < L; ++i) total += across[i * BLOCK + k];
            sums[keys[n] + k] += total;
        }
    }
    static void scale(const T* from, const T* share, T* to, long held, long columns) {
        for (long k = 0; k < held; ++k)
            for (long c = 0; c < columns; ++c)
                store(to + k * BLOCK + c * L, load<Vec<T>>(from + k * BLOCK + c * L) * load<Vec<T>>(share + c * L));
    }
    static void unpair(const uint32_t* from, const float* share, float* to, long held, long columns) {
        for (long k = 0; k < held; k += 2)
            for (long c = 0; c < columns; ++c) {
                const Words pair = load<Words>(from + Lie<true>::of(c, L, BLOCK / 2) + k / 2 * Lie<true>::by);
                const Vec<float> s = load<Vec<float>>(share + c * L);
                store(to + k * BLOCK + c * L, (Vec<float>)(pair << 16) * s);
                store(to + (k + 1) * BLOCK + c * L, (Vec<float>)(pair & 0xffff0000u) * s);
            }
    }
    static void numbers(const T* from, const T* share, T* parts, long columns) {
        for (long k = 0; k < BLOCK; ++k) {
            Vec<T> sum = {};
            for (long c = 0; c < columns; ++c) sum += load<Vec<T>>(from + k * BLOCK + c * L) * load<Vec<T>>(share + c * L);
            store(parts + k * L, sum);
        }
    }
    static void pairs(const uint32_t* from, const float* share, float* parts, long columns) {
        for (long k = 0; k < BLOCK; k += 2) {
            Vec<float> low = {}, high = {};
            for (long c = 0; c < columns; ++c) {
                const Words pair = load<Words>(from + Lie<true>::of(c, L, BLOCK / 2) + k / 2 * Lie<true>::by);
                const Vec<float> s = load<Vec<float>>(share + c * L);
                low += (Vec<float>)(pair << 16) * s;
                high += (Vec<float>)(pair & 0xffff0000u) * s;
            }
            store(parts + k * L, low), store(parts + (k + 1) * L, high);
        }
    }
};
