// Vectors of 64 bytes, in the compiler's own vector types; intrinsics where they save more than a few instructions.
#pragma once
#include <cstdint>
#include <cstring>
#include <limits>
#if defined(__SSE__)
#include <immintrin.h>
#endif

template <class T>
struct Lanes;
template <>
struct Lanes<float> {
    typedef float real __attribute__((vector_size(64)));
    typedef int32_t whole __attribute__((vector_size(64)));
    static constexpr int count = 16;
};
template <>
struct Lanes<double> {
    typedef double real __attribute__((vector_size(64)));
    typedef int64_t whole __attribute__((vector_size(64)));
    static constexpr int count = 8;
};
template <class T>
using Vec = typename Lanes<T>::real;
template <class T>
using Int = typename Lanes<T>::whole;
typedef uint32_t Words __attribute__((vector_size(64)));

template <class V>
inline V load(const void* from) {
    V x;
    std::memcpy(&x, from, sizeof x);
    return x;
}
template <class V>
inline void store(void* to, V x) {
    std::memcpy(to, &x, sizeof x);
}
template <class T>
inline Vec<T> all(T x) {
    return x - Vec<T>{};  // not + : -0 + 0 is another number, so the addition would stay
}
template <class T>
constexpr T NOTHING = -std::numeric_limits<T>::infinity();

inline Vec<float> larger(Vec<float> a, Vec<float> b) {
#if defined(__AVX512F__)
    return (Vec<float>)_mm512_max_ps((__m512)a, (__m512)b);
#else
    return a > b ? a : b;
#endif
}
inline Vec<double> larger(Vec<double> a, Vec<double> b) {
#if defined(__AVX512F__)
    return (Vec<double>)_mm512_max_pd((__m512d)a, (__m512d)b);
#else
    return a > b ? a : b;
#endif
}

// Where a is above b: a bit for each number.
inline uint32_t above(Vec<float> a, Vec<float> b) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ);
#else
    uint32_t bits = 0;
    for (int i = 0; i < 16; ++i) bits |= (uint32_t)(a[i] > b[i]) << i;
    return bits;
#endif
}
inline uint32_t above(Vec<double> a, Vec<double> b) {
#if defined(__AVX512F__)
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_GT_OQ);
#else
    uint32_t bits = 0;
    for (int i = 0; i < 8; ++i) bits |= (uint32_t)(a[i] > b[i]) << i;
    return bits;
#endif
}

// While one of these lives, this thread takes numbers too small to be normal for zero: weights far below the largest would
// otherwise cost a hundred times their worth.
struct NothingSmall {
#if defined(__SSE__)
    const unsigned before = _mm_getcsr();
    NothingSmall() { _mm_setcsr(before | 0x8040); }
    ~NothingSmall() { _mm_setcsr(before); }
#endif
};

// Bits of a mask, lowest first, as a vector of 0 and -1.
template <class T>
inline Int<T> spread(uint32_t bits) {
    Int<T> place;
    for (int i = 0; i < Lanes<T>::count; ++i) place[i] = 1 << i;
    return (Int<T>{} + bits & place) != 0;
}
inline Vec<float> only(Vec<float> x, uint32_t bits, float other) {
#if defined(__AVX512F__)
    return (Vec<float>)_mm512_mask_blend_ps((__mmask16)bits, _mm512_set1_ps(other), (__m512)x);
#else
    return spread<float>(bits) ? x : all<float>(other);
#endif
}
inline Vec<double> only(Vec<double> x, uint32_t bits, double other) {
#if defined(__AVX512F__)
    return (Vec<double>)_mm512_mask_blend_pd((__mmask8)bits, _mm512_set1_pd(other), (__m512d)x);
#else
    return spread<double>(bits) ? x : all<double>(other);
#endif
}

// 2^x for x <= 126; 0 below the smallest number, and for -inf. Of 2^f on [-1/2, 1/2] a polynomial takes the place, with a
// relative error of 8e-5 (coarse, for what is rounded to bfloat16 next), 2e-9 before rounding (float), 1e-16 (double).
template <bool COARSE>
inline Vec<float> fraction(Vec<float> f) {
    Vec<float> p;
    if constexpr (COARSE) {
        p = 5.517154e-02f * f + 2.4261115e-01f;
        p = p * f + 6.932610e-01f;
        p = p * f + 9.999281e-01f;
    } else {
        p = 1.5345799e-04f * f + 1.3399932e-03f;
        p = p * f + 9.6184890e-03f;
        p = p * f + 5.5503288e-02f;
        p = p * f + 2.4022647e-01f;
        p = p * f + 6.9314721e-01f;
        p = p * f + 1.0f;
    }
    return p;
}
template <bool COARSE = false>
inline Vec<float> power(Vec<float> x) {
#if defined(__AVX512DQ__)
    const Vec<float> f = (Vec<float>)_mm512_reduce_ps((__m512)x, 8);  // 0 for -inf
    return (Vec<float>)_mm512_scalef_ps((__m512)fraction<COARSE>(f), (__m512)(x - f));
#else
    x = larger(x, all<float>(-200.0f));
    const Vec<float> n = (x + 12582912.0f) - 12582912.0f;
    const Vec<float> r = fraction<COARSE>(x - n);
    const Int<float> e = __builtin_convertvector(n, Int<float>);
    return e < -126 ? Vec<float>{} : r * (Vec<float>)((e + 127) << 23);
#endif
}
template <bool COARSE = false>
inline Vec<double> power(Vec<double> x) {
    x = larger(x, all<double>(-1100.0));
    const Vec<double> n = (x + 6755399441055744.0) - 6755399441055744.0;
    const Vec<double> f = (x - n) * 0.69314718055994530942;
    Vec<double> p = all<double>(1.0 / 6227020800.0);
    constexpr double below[13] = {479001600, 39916800, 3628800, 362880, 40320, 5040, 720, 120, 24, 6, 2, 1, 1};
    for (int i = 0; i < 13; ++i) p = p * f + 1.0 / below[i];
    const Int<double> e = __builtin_convertvector(n, Int<double>);
    const Vec<double> r = p * (Vec<double>)((e + 1023) << 52);
    return e < -1022 ? Vec<double>{} : r;
}

template <class T>
inline T total(Vec<T> x) {
    T sum = 0;
    for (int i = 0; i < Lanes<T>::count; ++i) sum += x[i];
    return sum;
}
