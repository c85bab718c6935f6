// What a call of the engine is given: pointers, sizes and strides. Mirrored field by field in library.py.
#pragma once
#include <cstdint>

constexpr long BLOCK = 64;  // queries of a block, keys of a tile

enum Kind : int64_t { F32 = 0, F64 = 1, BF16 = 2, F16 = 3 };

struct Matrix {  // (b, heads, n, width); strides in elements, the last axis is dense
    void* data;
    int64_t b, h, n;
};

struct Problem {
    Matrix q, k, v, out, dout, dq, dk, dv;
    void* lse;        // (b, h, q), real
    void* dlse;       // (b, h, q), real, or null: by how much the loss grows with each log-sum-exp
    void* factor;     // (h), double
    void* bias;       // real, strides below (0 where broadcast), or null
    void* dbias;      // real, same strides, zeroed, or null
    void* relative;   // (h or 1, q + k - 1), real, times log2(e), indexed by i - j + k - 1, or null
    void* drelative;  // (h, q + k - 1), real, zeroed, or null
    void* sinks;      // (h), double, or null
    void* start;      // (mask_batch * mask_heads * blocks + 1), int32, or null: every tile
    void* column;     // int32
    void* tile;       // int32, -1 for a full one
    void* words;      // (tiles, 64), uint64: word of a key, bit of a query
    void* entropy;    // (b, h, q), real, or null
    void* sink_mass;  // (b, h, q), real, or null: mass on the first four keys
    void* distance;   // (b, h, buckets), double, zeroed, or null
    void* columns;    // (b, h, k), double, zeroed, or null
    void* top;        // (b, h, q, top_n), real, or null
    void* top_index;  // (b, h, q, top_n), int64
    void* weights;    // (b, weight_heads, weight_rows, k), type of q, zeroed, or null
    void* weight_of;  // (h), int32: which head of `weights` a head writes, or -1
    void* weight_at;  // (q), int32: which row of it a query writes, or -1
    int64_t bias_b, bias_h, bias_q, bias_k, relative_h;
    int64_t b, h, g, q_len, k_len, d, v_width;
    int64_t weight_mean;  // how many heads are averaged into one, in real numbers, zeroed; 0: none
    int64_t kind, mask_batch, mask_heads, buckets, top_n, weight_heads, weight_rows, threads, splits;
    uint64_t seed;
    double softcap, dropout;  // 0: none
};
