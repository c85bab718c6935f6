// The stateless draw of attention/dropout.py: each weight is kept or not by a hash of the seed and of its place.
#pragma once
#include "tile.h"

template <class X>
inline X mix(X x) {
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    return x ^ (x >> 16);
}
template <class X>
inline X onward(X word, uint32_t place) {
    return mix<X>(word * 0x9E3779B1u + (place + 0x85EBCA77u));
}

struct Dropout {
    alignas(64) uint32_t word[BLOCK];  // of each query, ready to take the key
    uint32_t least;                    // what the upper 24 bits must reach to be kept
    double grown;
    bool on;

    Dropout(const Problem& p, long b, long h, long block) : on(p.dropout > 0) {
        if (!on) return;
        grown = p.dropout < 1 ? 1 / (1 - p.dropout) : 0;
        least = (uint32_t)std::ceil(std::min((double)(float)p.dropout * 16777216.0, 16777216.0));
        const uint32_t head = onward(onward((uint32_t)p.seed, b), h);
        for (long i = 0; i < BLOCK; ++i) word[i] = onward(head, block * BLOCK + i) * 0x9E3779B1u + 0x85EBCA77u;
    }

    // The factors on the weights of a vector's queries for one key: 0 or 1 / (1 - rate).
    Vec<float> draw(float, long key, long column) const {
        const Words x = mix<Words>(load<Words>(word + column * 16) + (uint32_t)key) >> 8;
        return x >= least ? all<float>(grown) : Vec<float>{};
    }
    Vec<double> draw(double, long key, long column) const {
        Vec<double> kept;
        for (long i = 0; i < 8; ++i) kept[i] = mix(word[column * 8 + i] + (uint32_t)key) >> 8 >= least ? grown : 0;
        return kept;
    }
};
