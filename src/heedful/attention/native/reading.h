// Rows of numbers as vectors: read whole or in part, multiplied into sums, or widened. For work that reads each row once.
#pragma once
#include "halves.h"

// `wide` numbers are one raw vector; widened they are `parts` vectors of T, whose number i stands in part i % parts.
template <class Number>
struct Reading {
    using T = Number;
    using Raw = Vec<T>;
    static constexpr int wide = Lanes<T>::count, parts = 1;
    static Raw whole(const Number* from) { return load<Raw>(from); }
    static Raw some(const Number* from, long count) {
        Raw x{};
        std::memcpy(&x, from, count * sizeof(T));
        return x;
    }
    static void widened(Raw x, Vec<T>* to) { to[0] = x; }
    static Vec<T> multiplied(Vec<T> sum, Raw a, Raw b) { return sum + a * b; }
};

template <>
struct Reading<BFloat16> {
    using T = float;
    typedef int16_t Raw __attribute__((vector_size(64)));  // as the products take it: gcc turns other types over in memory
    static constexpr int wide = 32, parts = 2;
    static Raw whole(const BFloat16* from) { return load<Raw>(from); }
    static Raw some(const BFloat16* from, long count) {
#if defined(__AVX512BW__)
        return (Raw)_mm512_maskz_loadu_epi16((1ull << count) - 1, from);
#else
        Raw x{};
        std::memcpy(&x, from, count * 2);
        return x;
#endif
    }
    static void widened(Raw x, Vec<float>* to) { to[0] = (Vec<float>)((Words)x << 16), to[1] = (Vec<float>)((Words)x & 0xffff0000u); }
    static Vec<float> multiplied(Vec<float> sum, Raw a, Raw b) {
#if defined(__AVX512BF16__)
        return (Vec<float>)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
        Vec<float> x[2], y[2];
        widened(a, x), widened(b, y);
        return sum + x[0] * y[0] + x[1] * y[1];
#endif
    }
};

template <>
struct Reading<Float16> {
    using T = float;
    using Raw = Vec<float>;
    static constexpr int wide = 16, parts = 1;
    static Raw whole(const Float16* from) {
#if defined(__AVX512F__)
        return (Raw)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)from));
#else
        return some(from, wide);
#endif
    }
    static Raw some(const Float16* from, long count) {
#if defined(__AVX512BW__) && defined(__AVX512VL__)
        return (Raw)_mm512_cvtph_ps(_mm256_maskz_loadu_epi16((__mmask16)((1u << count) - 1), from));
#else
        Raw x{};
        for (long i = 0; i < count; ++i) x[i] = widen(from[i]);
        return x;
#endif
    }
    static void widened(Raw x, Vec<float>* to) { to[0] = x; }
    static Vec<float> multiplied(Vec<float> sum, Raw a, Raw b) { return sum + a * b; }
};

// Number i of the result is the sum of x[i]'s numbers.
inline Vec<float> sums(const Vec<float>* x) {
#if defined(__AVX512F__)
    __m512 pairs[8], fours[4];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
        const __m512 a = (__m512)x[2 * i], b = (__m512)x[2 * i + 1];
        pairs[i] = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        const __m512d a = (__m512d)pairs[2 * i], b = (__m512d)pairs[2 * i + 1];
        fours[i] = _mm512_add_ps((__m512)_mm512_unpacklo_pd(a, b), (__m512)_mm512_unpackhi_pd(a, b));
    }
    const auto halved = [](__m512 a, __m512 b) {
        return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
    };
    return (Vec<float>)halved(halved(fours[0], fours[1]), halved(fours[2], fours[3]));
#else
    Vec<float> found;
    for (int i = 0; i < 16; ++i) found[i] = total<float>(x[i]);
    return found;
#endif
}
inline Vec<double> sums(const Vec<double>* x) {
    Vec<double> found;
    for (int i = 0; i < 8; ++i) found[i] = total<double>(x[i]);
    return found;
}
