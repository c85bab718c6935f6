// gelu(x) = x Phi(x) (Hendrycks & Gimpel 2016, arXiv 1606.08415), silu(g) v (Shazeer 2020, arXiv 2002.05202, eq. 6) and their
// gradients, each in one pass over memory. Loaded by library.py; no exception leaves.
#include <algorithm>

#include "../../attention/native/halves.h"

using V = Vec<float>;
constexpr long L = Lanes<float>::count;
constexpr float LOG2E = 1.44269504f;

// Sixteen numbers of either type as floats, and back.
inline V get(const float* from) { return load<V>(from); }
inline void put(float* to, V x) { store(to, x); }
typedef uint16_t Short __attribute__((vector_size(32)));
inline V get(const BFloat16* from) {
    Short x;
    std::memcpy(&x, from, sizeof x);
    return (V)(__builtin_convertvector(x, Words) << 16);
}
inline void put(BFloat16* to, V x) {  // to the nearest, ties to even; NaN stays one
    const Words bits = (Words)x, up = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    const Short y = __builtin_convertvector(x == x ? up : Words{} + 0x7fc0, Short);
    std::memcpy(to, &y, sizeof y);
}

// What of a normal distribution lies below x, and the density there times sqrt(2 pi). The tail is the density times a polynomial
// in t = 1 / (1 + 0.27 |x|), fitted to erfcx; relative error 2.4e-8 before rounding.
struct Normal {
    V below, density;
};
inline Normal normal(V x) {
    constexpr float fit[9] = {0.02891527275f, -0.1262552601f, 0.1692914001f, -0.06862097408f, 0.1073994293f,
                              0.07224029136f, 0.101759165f,   0.1075505064f, 0.107720181f};
    const V a = larger(x, -x), t = 1.0f / (0.27f * a + 1.0f), density = power(x * x * (-0.5f * LOG2E));
    V p = all<float>(fit[0]);
#pragma GCC unroll 8
    for (int i = 1; i < 9; ++i) p = p * t + fit[i];
    const V tail = p * t * density;
    return {x > 0 ? 1.0f - tail : tail, density};
}
inline V logistic(V x) {
    const V down = x * -LOG2E;
    return down > 120.0f ? V{} : 1.0f / (1.0f + power(down));
}

// `work(at)` for all but the last few of n places, vector by vector, and then for what is left by copies that are whole.
template <class Number, int IN, int OUT, class Work>
inline void vectors(long n, const Number* const (&from)[IN], Number* const (&to)[OUT], Work work) {
    long i = 0;
    for (; i + L <= n; i += L) {
        V x[IN], y[OUT + 1];
#pragma GCC unroll 4
        for (int k = 0; k < IN; ++k) x[k] = get(from[k] + i);
        work(x, y);
#pragma GCC unroll 4
        for (int k = 0; k < OUT; ++k) put(to[k] + i, y[k]);
    }
    if (i == n) return;
    V x[IN], y[OUT + 1];
    Number some[L] = {};
    for (int k = 0; k < IN; ++k) std::memcpy(some, from[k] + i, (n - i) * sizeof(Number)), x[k] = get(some);
    work(x, y);
    for (int k = 0; k < OUT; ++k) put(some, y[k]), std::memcpy(to[k] + i, some, (n - i) * sizeof(Number));
}

// x is (rows, width), or (rows, 2 width) for the gated one, gates first. Without `up`, `act` takes the activation (rows, width);
// with the gradient `up` of the activation, `to` takes that of x, and `act`, unless null, the activation once more. Each number is
// read before its place is written to, so that what is written may lie where what is read lay.
struct Job {
    const void *x, *up;
    void *to, *act;
    long rows, width, kind, threads;  // kind as in problem.h
};

template <class Row>
static void rows(const Job& j, Row row) {
#pragma omp parallel for num_threads(j.threads) schedule(static) if (j.threads > 1)
    for (long r = 0; r < j.rows; ++r) row(r);
}

template <class Number>
static void gelu(const Job& j) {
    rows(j, [&](long r) {
        const Number *x = (const Number*)j.x + r * j.width, *up = (const Number*)j.up + r * j.width;
        Number *to = (Number*)j.to + r * j.width, *act = (Number*)j.act + r * j.width;
        const auto back = [](V* in, V* out) {
            const Normal at = normal(in[0]);
            out[0] = in[1] * (at.below + in[0] * at.density * 0.3989422804f), out[1] = in[0] * at.below;
        };
        if (!j.up)
            vectors<Number, 1, 1>(j.width, {x}, {act}, [](V* in, V* out) { out[0] = in[0] * normal(in[0]).below; });
        else if (!j.act)
            vectors<Number, 2, 1>(j.width, {x, up}, {to}, back);
        else
            vectors<Number, 2, 2>(j.width, {x, up}, {to, act}, back);
    });
}

template <class Number>
static void gated(const Job& j) {
    rows(j, [&](long r) {
        const Number *gate = (const Number*)j.x + 2 * r * j.width, *value = gate + j.width, *up = (const Number*)j.up + r * j.width;
        Number *to = (Number*)j.to + 2 * r * j.width, *act = (Number*)j.act + r * j.width;
        const auto back = [](V* in, V* out) {
            const V open = logistic(in[0]), silu = in[0] * open;
            out[0] = in[2] * in[1] * (open + silu - silu * open), out[1] = in[2] * silu, out[2] = silu * in[1];
        };
        if (!j.up)
            vectors<Number, 2, 1>(j.width, {gate, value}, {act}, [](V* in, V* out) { out[0] = in[0] * logistic(in[0]) * in[1]; });
        else if (!j.act)
            vectors<Number, 3, 2>(j.width, {gate, value, up}, {to, to + j.width}, back);
        else
            vectors<Number, 3, 3>(j.width, {gate, value, up}, {to, to + j.width, act}, back);
    });
}

static int door(const Job* j, bool gates) {
    switch (j->kind) {
        case 0: return gates ? gated<float>(*j) : gelu<float>(*j), 0;
        case 2: return gates ? gated<BFloat16>(*j) : gelu<BFloat16>(*j), 0;
        default: return 1;
    }
}
extern "C" int heedful_gelu(const Job* j) { return door(j, false); }
extern "C" int heedful_swiglu(const Job* j) { return door(j, true); }
