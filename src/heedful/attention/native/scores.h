// What happens to the raw scores of a tile before the softmax: factor, softcap, bias, relative bias, mask. Results are in
// powers of two: x = log2(e) times the score, so that the weight is 2^(x - m).
#pragma once
#include "tile.h"

template <class T>
struct Terms {
    T factor;           // on the raw score
    T softcap;          // 0: none
    const T* bias;      // of this batch and head, or null
    long bias_q, bias_k;
    const T* relative;  // of this head, at [i - j + k_len - 1], times log2(e), or null
    long k_len;
    T* turned;          // a tile of bias, queries along the vectors
    T* slope;           // where the backward pass wants it: 1 - tanh^2 of each score, or null

    bool bent() const { return softcap != 0 || bias; }
    bool plain(const Tile<T>& t) const { return softcap == 0 && !bias && !relative && !t.words && factor > 0; }
};

template <class T>
Terms<T> terms_of(const Problem& p, long b, long h, T* turned, T* slope) {
    Terms<T> s;
    s.factor = (T)((const double*)p.factor)[h];
    s.softcap = (T)p.softcap;
    s.bias = p.bias ? (const T*)p.bias + b * p.bias_b + h * p.bias_h : nullptr;
    s.bias_q = p.bias_q, s.bias_k = p.bias_k;
    s.relative = p.relative ? (const T*)p.relative + h * p.relative_h : nullptr;
    s.k_len = p.k_len;
    s.turned = turned, s.slope = slope;
    return s;
}

// Bring the tile's part of a bias into place. One that is the same for all queries is read where it lies.
template <class T>
void place_bias(const Terms<T>& s, const Tile<T>& t) {
    if (!s.bias || s.bias_q == 0) return;
    const T* from = s.bias + t.query * s.bias_q + t.key * s.bias_k;
    if (s.bias_k == 1)
        turn(t.queries, t.keys, from, s.bias_q, s.turned, BLOCK);
    else
        for (long k = 0; k < t.keys; ++k)
            for (long i = 0; i < t.queries; ++i) s.turned[k * BLOCK + i] = from[i * s.bias_q + k * s.bias_k];
    if (t.queries < BLOCK)
        for (long k = 0; k < t.keys; ++k) std::fill(s.turned + k * BLOCK + t.queries, s.turned + (k + 1) * BLOCK, (T)0);
}

// One vector of scores where there is neither a softcap nor a bias.
template <class T>
inline Vec<T> shifted(const Terms<T>& s, const Tile<T>& t, long k, long column, Vec<T> raw) {
    Vec<T> x = raw * (s.factor * (T)LOG2E);
    if (s.relative) x += load<Vec<T>>(s.relative + t.query + column * Lanes<T>::count - t.key - k + s.k_len - 1);
    if (t.words) x = only(x, t.bits(k, column), NOTHING<T>);
    return x;
}

// One vector of scores: queries t.query + 16 column onwards, key t.key + k.
template <class T>
inline Vec<T> finished(const Terms<T>& s, const Tile<T>& t, long k, long column, Vec<T> raw) {
    constexpr long L = Lanes<T>::count;
    Vec<T> x = raw * (s.factor * (T)LOG2E);
    if (s.softcap != 0) {
        const Vec<T> u = raw * (s.factor / s.softcap * (T)(2 * LOG2E));
        const Vec<T> e = power(u < (T)100 ? u : all<T>(100));
        const Vec<T> tanh = (T)1 - (T)2 / (e + (T)1);
        x = tanh * (s.softcap * (T)LOG2E);
        if (s.slope) store(s.slope + k * BLOCK + column * L, (T)1 - tanh * tanh);
    }
    if (s.bias) {
        if (s.bias_q == 0)
            x += all<T>(s.bias[(t.key + k) * s.bias_k]) * (T)LOG2E;
        else
            x += load<Vec<T>>(s.turned + k * BLOCK + column * L) * (T)LOG2E;
    }
    if (s.relative) x += load<Vec<T>>(s.relative + t.query + column * L - t.key - k + s.k_len - 1);
    if (t.words) x = only(x, t.bits(k, column), NOTHING<T>);
    return x;
}
