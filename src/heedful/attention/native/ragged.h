// One step of a layer whose key/value heads hold different numbers of keys: the new token's query and key are turned to its
// place, key and value written to their slots, and every head reads what it still holds.
#pragma once
#include "decode.h"

struct Reader {  // query heads of one sequence, beside each other, that read one key/value head; mirrored in ragged.py
    void *k, *v;               // the head's first slot; slots are dense rows
    int64_t pinned, ring;      // slots that are never overwritten, then `ring` that are, in turn; ring 0: they go on
    int64_t shift;             // by how much a token's number in this head is more than in the text: keys were thrown out
    int64_t head, heads;       // query heads
    int64_t key;               // of the new keys and values, which one is this head's
    int64_t sinks, window;     // what is read: the first and the newest keys; window 0: all that is held
    int64_t writes;            // 0 where an earlier reader has written
};

struct Ragged {
    Matrix q, k, v, out;       // the new token's (b, h or g, 1, width); out dense
    const double *factor, *sinks;   // (h), or null
    const Reader* readers;     // (b, count)
    const void *cosine, *sine;      // of each pair's angle, real; or null: nothing is turned
    int64_t count, b, h, g, d, v_width, pairs, interleaved, length, kind, threads;  // length: tokens before this one
    double scale, softcap;
};

template <class Number>
struct Turn {  // as rotary.py: pair i is (i, i + pairs), or (2 i, 2 i + 1)
    using T = typename Reading<Number>::T;
    const Ragged& r;
    void operator()(const Number* from, Number* to) const {
        const T *cosine = (const T*)r.cosine, *sine = (const T*)r.sine;
        const long turned = cosine ? 2 * r.pairs : 0, by = r.interleaved ? 2 : 1, apart = r.interleaved ? 1 : r.pairs;
        for (long i = 0; i < turned / 2; ++i) {
            const T a = widen(from[i * by]), b = widen(from[i * by + apart]);
            to[i * by] = narrow<Number>(a * cosine[i] - b * sine[i]);
            to[i * by + apart] = narrow<Number>(b * cosine[i] + a * sine[i]);
        }
        std::memcpy(to + turned, from + turned, (r.d - turned) * sizeof(Number));
    }
};

inline long slot_of(const Reader& from, long token) {
    return token < from.pinned || !from.ring ? token : from.pinned + (token - from.pinned) % from.ring;
}

// The slots that hold what the newest token may see: at most four ranges, by start and stop.
inline long slots_of(const Reader& from, long length, int64_t* ranges) {
    const long token = length + from.shift, end = token + 1;
    int64_t* to = ranges;
    const auto add = [&](long start, long stop) {
        if (start < stop) *to++ = start, *to++ = stop;
    };
    if (!from.window) {
        add(0, from.ring ? std::min(end, from.pinned + from.ring) : end);
        return (to - ranges) / 2;
    }
    const long first = std::max(from.sinks, end - from.window);
    add(0, std::min(from.sinks, end));
    add(first, std::min(from.pinned, end));
    const long start = std::max(first, from.pinned);
    if (start >= end) return (to - ranges) / 2;
    const long low = slot_of(from, start), high = slot_of(from, token);
    if (!from.ring || low <= high)
        add(low, high + 1);
    else
        add(from.pinned, high + 1), add(low, from.pinned + from.ring);
    return (to - ranges) / 2;
}

// A reader's share of the work as a step of its own.
template <class Number>
Step step_of(const Ragged& r, const Reader& from, long b, const Number* queries, int64_t* ranges) {
    Step s{};
    s.q = {(void*)(queries + (b * r.h + from.head) * r.d), 0, r.d, r.d};
    s.k = {from.k, 0, 0, r.d};
    s.v = {from.v, 0, 0, r.v_width};
    s.out = {(Number*)r.out.data + b * r.out.b + from.head * r.out.h, 0, r.out.h, r.v_width};
    s.factor = r.factor ? r.factor + from.head : nullptr;
    s.sinks = r.sinks ? r.sinks + from.head : nullptr;
    s.count = slots_of(from, r.length, ranges);
    s.ranges = ranges;
    s.b = s.g = s.q_len = 1;
    s.h = from.heads, s.d = r.d, s.v_width = r.v_width, s.scale = r.scale, s.softcap = r.softcap;
    return s;
}
