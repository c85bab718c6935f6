// The gradients, by tiles, the scores computed anew from the saved log-sum-exp (Dao et al. 2022, arXiv 2205.14135, algorithm 4):
// dV += P^T dO, dP = dO V^T, dS = P (dP - sum(dO O) + dlse), dQ += dS K, dK += dS^T Q.
#pragma once
#include "dropout.h"
#include "halves.h"
#include "softmax.h"

template <class E>
struct Backward {
    using T = typename E::T;
    using Number = typename E::Number;
    static constexpr long L = Lanes<T>::count, COLUMNS = BLOCK / L;
    const Problem& p;
    E engine;
    T *weights, *grads, *turned, *slope, *lse, *delta, *dq, *last;

    static long wide(long n) { return (n + 31) / 32 * 32; }
    static size_t bytes(const Problem& p) {
        return E::bytes(p) + (4 * BLOCK * BLOCK + 2 * BLOCK + 2 * wide(p.d) * BLOCK + 512) * sizeof(T) + 4096;
    }
    Backward(const Problem& p, Arena& arena, const char* packed) : p(p), engine(p, arena, packed) {
        weights = arena.take<T>(BLOCK * BLOCK);
        grads = arena.take<T>(BLOCK * BLOCK);
        turned = arena.take<T>(BLOCK * BLOCK);
        slope = arena.take<T>(BLOCK * BLOCK);
        lse = arena.take<T>(2 * BLOCK);
        delta = lse + BLOCK;
        dq = arena.take<T>(wide(p.d) * BLOCK);
        last = arena.take<T>(wide(p.d) * BLOCK);
    }

    // One block of queries; dk and dv (k_len, stride) take sums.
    void operator()(long b, long h, long block, T* dk, long dk_by, T* dv, long dv_by, T* drelative) {
        const long g = h / (p.h / p.g), i = block * BLOCK, rows = std::min(BLOCK, (long)p.q_len - i);
        const Terms<T> s = terms_of<T>(p, b, h, turned, p.softcap != 0 ? slope : nullptr);
        const Dropout dropout(p, b, h, block);
        const Entries entries(p, b, h, block);
        engine.open(b, h, block);
        measure(b, h, i, rows);
        std::memset(dq, 0, wide(p.d) * BLOCK * sizeof(T));
        for (long e = entries.from; e < entries.to; ++e) {
            Tile<T> t = entries.template tile<T>(e, block);
            t.range(E::KEYS_BY, E::COLUMNS_BY);
            engine.read(t, b, g);
            engine.score(t, weights);
            engine.grow(t, grads);
            place_bias(s, t);
            for (long c = 0; c < COLUMNS; ++c) differentiate(s, t, c, dropout);
            if (p.dbias) give_bias(t, b, h);
            if (drelative) give_relative(t, drelative);
            for (long c = 0; c < COLUMNS; ++c) rescale(s, t, c);
            engine.push(t, weights, grads, dk + t.key * dk_by, dk_by, dv + t.key * dv_by, dv_by, dq);
        }
        Number* to = row_of<Number>(p.dq, b, h, i);
        if constexpr (std::is_same_v<Number, T>) {
            turn(p.d, rows, dq, BLOCK, to, p.dq.n);
        } else {
            turn(p.d, rows, dq, BLOCK, last, p.d);
            for (long r = 0; r < rows; ++r) narrow_row(last + r * p.d, p.d, to + r * p.dq.n);
        }
    }

    // Of each query the log-sum-exp, in powers of two, and what all its score gradients have taken off; a query that attends
    // to nothing, or is not there, has an infinite one, so that its weights are zero.
    void measure(long b, long h, long i, long rows) {
        const T* from = (const T*)p.lse + (b * p.h + h) * p.q_len + i;
        const T* more = p.dlse ? (const T*)p.dlse + (b * p.h + h) * p.q_len + i : nullptr;
        for (long r = 0; r < BLOCK; ++r) {
            lse[r] = -NOTHING<T>, delta[r] = 0;
            if (r >= rows || from[r] == NOTHING<T>) continue;
            const Number *x = row_of<const Number>(p.out, b, h, i + r), *y = row_of<const Number>(p.dout, b, h, i + r);
            const T sum = together(x, y, p.v_width);
            lse[r] = from[r] * (T)LOG2E, delta[r] = more ? sum - more[r] : sum;
        }
    }

    static T together(const Number* x, const Number* y, long count) {
        T parts[L] = {}, sum = 0;  // as many sums as a vector holds, so that the compiler may use one
        long c = 0;
        for (; c + L <= count; c += L)
            for (long i = 0; i < L; ++i) parts[i] += (T)widen(x[c + i]) * (T)widen(y[c + i]);
        for (; c < count; ++c) sum += (T)widen(x[c]) * (T)widen(y[c]);
        for (T part : parts) sum += part;
        return sum;
    }

    // Scores to weights, and the gradient of the weights to that of the finished scores; zero outside the tile's ranges.
    void differentiate(const Terms<T>& s, const Tile<T>& t, long c, const Dropout& dropout) {
        const Vec<T> m = load<Vec<T>>(lse + c * L), d = load<Vec<T>>(delta + c * L);
        for (long k = 0; k < t.keys; ++k) {
            T *w = weights + k * BLOCK + c * L, *g = grads + k * BLOCK + c * L;
            if (k < t.low[c] || k >= t.high[c]) {
                store(w, Vec<T>{}), store(g, Vec<T>{});
                continue;
            }
            const Vec<T> x = finished(s, t, k, c, load<Vec<T>>(w)), weight = power(x - m);
            Vec<T> up = load<Vec<T>>(g);
            if (dropout.on) {
                const Vec<T> kept = dropout.draw(T(), t.key + k, c);
                up *= kept;
                store(w, weight * kept);
            } else
                store(w, weight);
            store(g, weight * (up - d));
        }
    }

    // From the finished score's gradient to the raw product's.
    void rescale(const Terms<T>& s, const Tile<T>& t, long c) {
        for (long k = t.low[c]; k < t.high[c]; ++k) {
            T* g = grads + k * BLOCK + c * L;
            Vec<T> x = load<Vec<T>>(g) * s.factor;
            if (s.slope) x *= load<Vec<T>>(slope + k * BLOCK + c * L);
            store(g, x);
        }
    }

    void give_bias(const Tile<T>& t, long b, long h) {
        T* to = (T*)p.dbias + b * p.bias_b + h * p.bias_h + t.query * p.bias_q + t.key * p.bias_k;
#pragma omp critical(heedful_bias)
        for (long k = 0; k < t.keys; ++k)
            for (long i = 0; i < t.queries; ++i) to[i * p.bias_q + k * p.bias_k] += grads[k * BLOCK + i];
    }
    void give_relative(const Tile<T>& t, T* to) {
        for (long k = 0; k < t.keys; ++k)
            for (long c = 0; c < COLUMNS; ++c) {
                T* at = to + t.query + c * L - t.key - k + p.k_len - 1;
                store(at, load<Vec<T>>(at) + load<Vec<T>>(grads + k * BLOCK + c * L));
            }
    }
};
