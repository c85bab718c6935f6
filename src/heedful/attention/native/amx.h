// The engine for bfloat16 where the processor multiplies tiles of it (AMX): products in bfloat16 with sums in float, scores
// and softmax in float, weights rounded to bfloat16 before they meet the values, as every fused kernel does.
#pragma once
#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__linux__)
#define HEEDFUL_AMX 1
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "halves.h"
#include "softmax.h"

// The kernel's leave to use the tile registers, asked for once.
inline bool amx_allowed() {
    static const bool allowed = syscall(SYS_arch_prctl, 0x1023, 18) == 0;
    return allowed;
}

// Eight full tiles for this thread; what was configured before is put back.
struct Tiles {
    alignas(64) char before[64];
    Tiles() {
        _tile_storeconfig(before);
        alignas(64) unsigned char config[64] = {1};
        for (int i = 0; i < 8; ++i) {
            config[16 + 2 * i] = 64;
            config[48 + i] = 16;
        }
        _tile_loadconfig(config);
    }
    ~Tiles() {
        if (before[0])
            _tile_loadconfig(before);
        else
            _tile_release();
    }
};

inline long up32(long n) { return (n + 31) / 32 * 32; }

// Products of 32 x 32 floats, held in four tiles while operands pass: A (32, 32 * steps), B (32 * steps in pairs, 32).
inline void zero() {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}
inline void fetch(const float* c, long ldc) {
    _tile_loadd(0, c, ldc * 4);
    _tile_loadd(1, c + 16, ldc * 4);
    _tile_loadd(2, c + 16 * ldc, ldc * 4);
    _tile_loadd(3, c + 16 * ldc + 16, ldc * 4);
}
inline void deliver(float* c, long ldc) {
    _tile_stored(0, c, ldc * 4);
    _tile_stored(1, c + 16, ldc * 4);
    _tile_stored(2, c + 16 * ldc, ldc * 4);
    _tile_stored(3, c + 16 * ldc + 16, ldc * 4);
}
inline void multiply(const void* a, long by_a, long step_a, const void* b, long by_b, long step_b, long steps) {  // in bytes
    const char *x = (const char*)a, *y = (const char*)b;
    for (long i = 0; i < steps; ++i, x += step_a, y += step_b) {
        _tile_loadd(4, x, by_a);
        _tile_loadd(6, y, by_b);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, y + 64, by_b);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, x + 16 * by_a, by_a);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}
inline void square(const void* a, long by_a, long step_a, const void* b, long by_b, long step_b, float* c, long steps, bool add,
                   long ldc = BLOCK) {
    if (add)
        fetch(c, ldc);
    else
        zero();
    multiply(a, by_a, step_a, b, by_b, step_b, steps);
    deliver(c, ldc);
}

inline __m512i interleaved(__m512i halves) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4,
                                           19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, halves);
}
inline __m512i rounded(Vec<float> low, Vec<float> high) {  // pairs: the low half of each word from `low`
    return interleaved((__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low));
}
// Sixteen numbers from each of two rows, as pairs; zero where not wanted.
inline __m512i paired(const BFloat16* low, const BFloat16* high, bool has_low, bool has_high, __mmask16 wanted) {
    const __m256i x = has_low ? _mm256_maskz_loadu_epi16(wanted, low) : _mm256_setzero_si256();
    const __m256i y = has_high ? _mm256_maskz_loadu_epi16(wanted, high) : _mm256_setzero_si256();
    return interleaved(_mm512_inserti64x4(_mm512_castsi256_si512(x), y, 1));
}
inline __mmask16 first(long count) { return count >= 16 ? 0xffff : (__mmask16)((1 << count) - 1); }

// to (width padded, 64 keys) = the values of a tile turned; zero where there are none.
inline void turn_values(const BFloat16* from, long by, long keys, long width, BFloat16* to) {
    for (long c = 0; c < up32(width); ++c)
        if (c >= width || keys < BLOCK) std::memset(to + c * BLOCK, 0, BLOCK * 2);
    for (long c = 0; c < width; c += 16) {
        for (long k = 0; k < keys; k += 32) {  // pairs of keys as words, 16 by 16, turned over
            alignas(64) uint32_t pairs[16][16], turned[16][16];
            for (long i = 0; i < 16; ++i) {
                const BFloat16* at = from + (k + 2 * i) * by + c;
                _mm512_store_si512(pairs[i], paired(at, at + by, k + 2 * i < keys, k + 2 * i + 1 < keys, first(width - c)));
            }
            turn16(pairs[0], 16, turned[0], 16);
            for (long j = 0; j < std::min(16l, width - c); ++j) std::memcpy(to + (c + j) * BLOCK + k, turned[j], 64);
        }
    }
}

struct Amx {
    using Number = BFloat16;
    using T = float;
    static constexpr bool COARSE = true;
    static constexpr long KEYS_BY = 32, COLUMNS_BY = 2, L = 16, COLUMNS = 4, HALF = BLOCK / 2;
    const Problem& p;
    const BFloat16 *values, *k, *v;  // values: all of them, turned; k, v: of the tile
    long k_by, q_by;                 // bytes; numbers
    BFloat16* spare;                 // a tile of keys, or a block of queries, that must be padded
    uint32_t *q, *w;                 // queries in pairs of their width, weights in pairs of keys, for two tiles
    static constexpr long WAIT = 4;  // tiles
    static constexpr float FAR = 1e18f;  // sums of weights above it call for another reference
    struct Held {                    // a tile whose weights wait to meet their values
        const BFloat16* values;
        uint32_t* weights;
        long low, high;
    } held[WAIT];
    long waiting = 0, half = 0, spot = 0;  // how many do, of which half of the queries, and where the next one's weights go
    uint32_t* slot;                  // where the next tile's weights go
    Tiles tiles;

    static size_t bytes(const Problem& p) { return (2 * up32(p.d) * BLOCK + WAIT * BLOCK * BLOCK) * 4 + 4096; }
    static long tile_numbers(const Problem& p) { return up32(p.v_width) * BLOCK; }
    static size_t packed_bytes(const Problem& p) { return p.b * p.g * ((p.k_len + BLOCK - 1) / BLOCK) * tile_numbers(p) * 2; }
    static void pack(const Problem& p, char* to, long b, long g, long tile) {
        const long all = (p.k_len + BLOCK - 1) / BLOCK, key = tile * BLOCK;
        turn_values(row_of<const BFloat16>(p.v, b, g, key), p.v.n, std::min(BLOCK, (long)p.k_len - key), p.v_width,
                    (BFloat16*)to + ((b * p.g + g) * all + tile) * tile_numbers(p));
    }

    Amx(const Problem& p, Arena& arena, const char* packed) : p(p), values((const BFloat16*)packed) {
        spare = arena.take<BFloat16>(up32(p.d) * BLOCK);
        q = arena.take<uint32_t>(up32(p.d) / 2 * BLOCK);
        w = slot = arena.take<uint32_t>(WAIT * BLOCK / 2 * BLOCK);
    }

    static const BFloat16* padded(const BFloat16* from, long by, long rows, long width, BFloat16* spare, long& out_by) {
        if (rows == BLOCK && width % 32 == 0 && by == width) return out_by = by, from;
        std::memset(spare, 0, up32(width) * BLOCK * 2);
        for (long r = 0; r < rows; ++r) std::memcpy(spare + r * up32(width), from + r * by, width * 2);
        return out_by = up32(width), spare;
    }
    // to (width in pairs, rows) = rows turned, all of them there and padded.
    static void turn_pairs(const BFloat16* at, long by, long rows, long width, uint32_t* to, long onto) {
        if (by % 2 == 0)
            turn(rows, up32(width) / 2, (const uint32_t*)at, by / 2, to, onto);
        else
            for (long r = 0; r < rows; ++r)
                for (long c = 0; c < up32(width) / 2; ++c) std::memcpy(to + c * onto + r, at + r * by + 2 * c, 4);
    }

    void open(long b, long h, long block) {
        const long i = block * BLOCK;
        const BFloat16* at = padded(row_of<const BFloat16>(p.q, b, h, i), p.q.n, std::min(BLOCK, (long)p.q_len - i), p.d, spare, q_by);
        for (long half = 0; half < 2; ++half) turn_pairs(at + half * HALF * q_by, q_by, HALF, p.d, queries(half), HALF);
    }
    uint32_t* queries(long half) const { return q + half * up32(p.d) / 2 * HALF; }

    void read(const Tile<T>& t, long b, long g) {
        k = padded(row_of<const BFloat16>(p.k, b, g, t.key), p.k.n, t.keys, p.d, spare, k_by);
        k_by *= 2;
        v = values + ((b * p.g + g) * ((p.k_len + BLOCK - 1) / BLOCK) + t.key / BLOCK) * tile_numbers(p);
    }

    // The scores of 32 queries, which stay in tile registers where they are not too wide, and all keys of the tile.
    void score(const Tile<T>& t, long half, T* scores) {
        constexpr long BY = HALF * 4;
        const uint32_t* const own = queries(half);
        float* const to = scores + half * BLOCK * HALF;
        if (p.d > 64) {
            for (long key = t.low[2 * half]; key < t.high[2 * half]; key += 32)
                square((const char*)k + key * k_by, k_by, 64, own, BY, 16 * BY, to + key * HALF, up32(p.d) / 32, false, HALF);
            return;
        }
        _tile_loadd(4, own, BY);
        _tile_loadd(5, own + 16, BY);
        if (p.d > 32) {
            _tile_loadd(6, own + 16 * HALF, BY);
            _tile_loadd(7, own + 16 * HALF + 16, BY);
        }
        for (long key = t.low[2 * half]; key < t.high[2 * half]; key += 16) {
            const char* const from = (const char*)k + key * k_by;
            _tile_loadd(2, from, k_by);
            _tile_zero(0);
            _tile_dpbf16ps(0, 2, 4);
            _tile_zero(1);
            _tile_dpbf16ps(1, 2, 5);
            if (p.d > 32) {
                _tile_loadd(3, from + 64, k_by);
                _tile_dpbf16ps(0, 3, 6);
                _tile_dpbf16ps(1, 3, 7);
            }
            _tile_stored(0, to + key * HALF, BY);
            _tile_stored(1, to + key * HALF + 16, BY);
        }
    }

    template <class Run>
    void weigh_column(Run& run, const Terms<T>& s, const Tile<T>& t, long c, T* scores) {
        weigh<COARSE>(run, s, t, c, scores, Pairs{column_of(slot, c)});
        blank(t, c);
    }
    // The same by the reference that stands, in one pass; false, and nothing done, if a score lies far above it.
    bool weigh_at_once(Running<T>& run, const Terms<T>& s, const Tile<T>& t, long c, const T* scores) {
        const float scale = s.factor * (float)LOG2E;
        uint32_t* const put = column_of(slot, c);
        const bool done = s.plain(t) ? weigh_below(run, t, c, scores, [=](long, Vec<T> raw) { return raw * scale; }, put)
                          : s.relative && !t.words && !s.bent()
                              ? weigh_below(run, t, c, scores, Sloped{s.relative + t.query + c * L - t.key + s.k_len - 1, scale}, put)
                          : s.bent() ? weigh_below(run, t, c, scores, [&](long k, Vec<T> raw) { return finished(s, t, k, c, raw); }, put)
                                     : weigh_below(run, t, c, scores, [&](long k, Vec<T> raw) { return shifted(s, t, k, c, raw); }, put);
        if (done) blank(t, c);
        return done;
    }
    // Without finding the largest score first: a weight far above one only makes the sum large, and that is looked at last.
    template <class Score>
    static bool weigh_below(Running<T>& run, const Tile<T>& t, long column, const T* scores, Score score, uint32_t* to) {
        const Vec<T> m = load<Vec<T>>(run.m + column * L);
        if (~above(m, all<T>(NOTHING<T>)) & 0xffff) return false;
        return run.entropy ? weigh_pairs<true>(run, t, column, scores, score, to, m) : weigh_pairs<false>(run, t, column, scores, score, to, m);
    }
    template <bool ENTROPY, class Score>
    static bool weigh_pairs(Running<T>& run, const Tile<T>& t, long column, const T* scores, Score score, uint32_t* to, Vec<T> m) {
        const T* at = scores + Lie<true>::of(column, L, BLOCK);
        Vec<T> l[4] = {}, z[2] = {};
        const __m512i ones = _mm512_set1_epi32(0x3f803f80);
        const auto one = [&](long key, int i) {
            const Vec<T> x = score(key, load<Vec<T>>(at + key * HALF)) - m, w = power_up(x);
            if (ENTROPY) z[i] += w * larger(x, all<T>(-1000));
            return w;
        };
        const auto two = [&](long key, Vec<T> a, Vec<T> b, int i) {
            const __m512i pair = cut(a, b);
            _mm512_storeu_si512(to + key / 2 * HALF, pair);
            l[i] = (Vec<T>)_mm512_dpbf16_ps((__m512)l[i], (__m512bh)pair, (__m512bh)ones);
        };
        long k = t.low[column];
        const long high = t.high[column];
        for (; k + 8 <= high; k += 8) {
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) {
                const Vec<T> a = one(k + 2 * i, 0);
                two(k + 2 * i, a, one(k + 2 * i + 1, 1), i);
            }
        }
        for (; k + 2 <= high; k += 2) {
            const Vec<T> a = one(k, 0);
            two(k, a, one(k + 1, 1), 0);
        }
        if (k < high) two(k, one(k, 0), Vec<T>{}, 0);
        const Vec<T> sum = (l[0] + l[1]) + (l[2] + l[3]);
        if (above(sum, all<T>(FAR))) return false;
        store(run.l + column * L, load<Vec<T>>(run.l + column * L) + sum);
        if (ENTROPY) store(run.z + column * L, load<Vec<T>>(run.z + column * L) + (z[0] + z[1]));
        return true;
    }
    // 2^x (1 + 2^-8 / (2 ln 2)), which cut off after eight digits is 2^x in the mean: cheaper than rounding, and the sum is that of
    // what is left, so that nothing is lost by it.
    static Vec<T> power_up(Vec<T> x) {
        constexpr float UP = 1.0028177f;
        const Vec<T> f = (Vec<T>)_mm512_reduce_ps((__m512)x, 8);  // 0 for -inf
        Vec<T> y = (5.517154e-02f * UP) * f + 2.4261115e-01f * UP;
        y = y * f + 6.932610e-01f * UP;
        y = y * f + 9.999281e-01f * UP;
        return (Vec<T>)_mm512_scalef_ps((__m512)y, (__m512)(x - f));
    }
    static __m512i cut(Vec<T> low, Vec<T> high) {
        return _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32((__m512i)low, 16), (__m512i)high);
    }
    struct Sloped {
        const float* line;
        float scale;
        Vec<float> operator()(long k, Vec<float> raw) const { return raw * scale + load<Vec<float>>(line - k); }
    };
    struct Pairs {
        uint32_t* to;
        void operator()(long key, Vec<float> a, Vec<float> b) const { store(to + key / 2 * HALF, rounded(a, b)); }
        void operator()(long key, Vec<float> a) const { store(to + key / 2 * HALF, rounded(a, Vec<float>{})); }
    };
    void blank(const Tile<T>& t, long c) {  // the rest of the last 32 keys
        for (long key = (t.high[c] + 1) / 2 * 2; key % 32; key += 2) store(column_of(slot, c) + key / 2 * HALF, Vec<float>{});
    }
    void settle(const Tile<T>& t, long c, const T* weights) {
        const Pairs put{column_of(slot, c)};
        const T* at = weights + Lie<true>::of(c, L, BLOCK);
        long key = t.low[c];
        for (; key + 2 <= t.high[c]; key += 2) put(key, load<Vec<T>>(at + key * HALF), load<Vec<T>>(at + (key + 1) * HALF));
        if (key < t.high[c]) put(key, load<Vec<T>>(at + key * HALF));
        blank(t, c);
    }

    // A slot holds 32 pairs of keys for 32 queries, or for those of both halves, one after the other, where weights are kept.
    static uint32_t* column_of(uint32_t* slot, long c) { return slot + Lie<true>::of(c, L, BLOCK / 2); }
    uint32_t* free_slot() const { return w + spot * BLOCK * BLOCK / 2; }  // those that wait are the ones before
    // The weighted sums of what waits; the sums are fetched and delivered once for all of them.
    void mix_held(T* out) {
        constexpr long BY = HALF * 4;
        for (long row = 0; waiting && row < p.v_width; row += 32) {
            float* to = out + (half * up32(p.v_width) + row) * HALF;
            fetch(to, HALF);
            for (long n = 0; n < waiting; ++n)
                multiply(held[n].values + row * BLOCK + held[n].low, BLOCK * 2, 64, column_of(held[n].weights, 2 * half) + held[n].low / 2 * HALF,
                         BY, 16 * BY, (held[n].high - held[n].low + 31) / 32);
            deliver(to, HALF);
        }
        waiting = 0;
    }
    void hold(const Tile<T>& t, long of, T* out) {
        half = of;
        const long low = t.low[2 * half], high = t.high[2 * half];
        if (low >= high) return;
        held[waiting] = {v, slot, low, high};
        spot = (spot + 1) % WAIT;
        if (++waiting == WAIT) mix_held(out);
    }

    // All tiles of a block, some at a time, for one half of its queries and then for the other: what a half works on stays in
    // the first cache, and the keys and values in the second.
    template <class Place, class Soften>
    void sweep(const Entries& entries, long block, long b, long g, Place place, T* out, Soften soften) {
        constexpr long SOME = 16;
        T* const scores = place(0);
        const bool both = p.q_len - block * BLOCK > BLOCK / 2;
        for (long from = 0; from < entries.count(); from += SOME)
            for (long of = 0; of < 1 + both; ++of) {
                for (long n = from; n < std::min(from + SOME, entries.count()); ++n) {
                    const long e = entries.at(n);
                    Tile<T> t = entries.tile<T>(e, block);
                    t.range(KEYS_BY, COLUMNS_BY);
                    read(t, b, g);
                    score(t, of, scores);
                    slot = free_slot();
                    soften(t, 2 * of, e - entries.from);
                    soften(t, 2 * of + 1, e - entries.from);
                    hold(t, of, out);
                }
                mix_held(out);
            }
    }
};
#endif
