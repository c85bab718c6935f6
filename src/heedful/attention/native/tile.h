// A tile of the score matrix, 64 queries by 64 keys, held with the queries along the vectors.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#include "problem.h"
#include "transpose.h"
#include "vectors.h"

constexpr double LOG2E = 1.4426950408889634074, LN2 = 0.69314718055994530942;

template <class T>
struct Tile {
    static constexpr int L = Lanes<T>::count, COLUMNS = BLOCK / L;  // vectors of a row
    long query, key, queries, keys;  // the first of each, and how many there are
    const uint64_t* words;           // of each key, which queries may attend to it; null: all
    long low[COLUMNS], high[COLUMNS];  // of each vector, the keys that some of its queries attend to: low <= key < high

    uint32_t bits(long k, long column) const { return (uint32_t)(words[k] >> column * L) & ((1ull << L) - 1); }

    // Ranges are widened to whole groups of `keys_by` keys and of `columns_by` vectors, as the products compute them.
    void range(long keys_by, long columns_by) {
        for (long c = 0; c < COLUMNS; c += columns_by) {
            long from = 0, to = keys;
            if (words) {
                uint64_t wanted = 0;
                for (long i = c; i < c + columns_by; ++i) wanted |= ((1ull << L) - 1) << i * L;
                while (from < keys && !(words[from] & wanted)) ++from;
                while (to > from && !(words[to - 1] & wanted)) --to;
                from = from / keys_by * keys_by;
                to = to == 0 ? 0 : std::min(keys, (to + keys_by - 1) / keys_by * keys_by);
                if (from >= to) from = to = 0;
            }
            for (long i = c; i < c + columns_by; ++i) low[i] = from, high[i] = to;
        }
    }
};

// Where a vector of queries stands in a tile, and how far its next key is: in rows of 64 queries, or, where 32 queries at a time
// are worked on, in two tables of 32 with `rows` rows each, so that what a half works on lies close together in the first cache.
template <bool HALVES>
struct Lie {
    static constexpr long by = HALVES ? BLOCK / 2 : BLOCK;
    static long of(long column, long lanes, long rows) {
        return HALVES ? column * lanes / by * rows * by + column * lanes % by : column * lanes;
    }
};

// Memory that is kept between calls, one for each thread, and grows when it must.
struct Arena {
    char* data = nullptr;
    size_t size = 0, used = 0;
    ~Arena() { std::free(data); }
    bool open(size_t bytes) {  // false: there is not that much
        used = 0;
        if (bytes <= size) return true;
        std::free(data);
        size = (bytes + 4095) / 4096 * 4096;
        data = (char*)std::aligned_alloc(4096, size);
        if (!data) size = 0;
        return data != nullptr;
    }
    template <class X>
    X* take(long count) {
        X* at = (X*)(data + used);
        used += (count * sizeof(X) + 63) / 64 * 64;
        return at;
    }
};

inline const uint64_t* words_of(const Problem& p, long entry) {
    const int32_t tile = ((const int32_t*)p.tile)[entry];
    return tile < 0 ? nullptr : (const uint64_t*)p.words + tile * BLOCK;
}

// The entries of the schedule for a block of queries: every tile where there is no schedule.
struct Entries {
    const Problem& p;
    long from, to, near = 0;
    Entries(const Problem& p, long b, long h, long block) : p(p) {
        const long blocks = (p.q_len + BLOCK - 1) / BLOCK;
        if (!p.start) {
            from = 0, to = (p.k_len + BLOCK - 1) / BLOCK;
            return;
        }
        const long mb = p.mask_batch == 1 ? 0 : b, mh = p.mask_heads == 1 ? 0 : h;
        const int32_t* row = (const int32_t*)p.start + (mb * p.mask_heads + mh) * blocks + block;
        from = row[0], to = row[1];
    }
    // Begin with the tile at the queries' own place and go down from there, then up: where near keys score highest, the
    // reference then stays where it is first set.
    void begin_near(long block) {
        const long own = (block * BLOCK + p.k_len - p.q_len) / BLOCK;
        for (near = 0; from + near + 1 < to && column(from + near + 1) <= own;) ++near;
    }
    long count() const { return to - from; }
    long at(long turn) const { return turn <= near ? from + near - turn : from + turn; }
    long column(long entry) const { return p.start ? ((const int32_t*)p.column)[entry] : entry; }

    template <class T>
    Tile<T> tile(long entry, long block) const {
        Tile<T> t;
        t.query = block * BLOCK;
        t.queries = std::min(BLOCK, (long)p.q_len - t.query);
        t.key = column(entry) * BLOCK;
        t.keys = std::min(BLOCK, (long)p.k_len - t.key);
        t.words = p.start ? words_of(p, entry) : nullptr;
        return t;
    }
};

template <class X>
X* row_of(const Matrix& m, long b, long h, long n) {
    return (X*)m.data + b * m.b + h * m.h + n * m.n;
}
