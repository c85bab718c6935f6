// The engine's doors, and which numbers are computed how. Loaded by library.py; no exception leaves.
#include <omp.h>

#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "amx.h"
#include "amx_backward.h"
#include "backward.h"
#include "decode.h"
#include "forward.h"
#include "plain.h"
#include "plain_backward.h"
#include "ragged.h"

static thread_local Arena arena;

// Large results are written once from end to end: large pages, where the system has them, spare a fault every 4 KiB.
static void in_large_pages(void* from, size_t bytes) {
#if defined(__linux__)
    constexpr size_t page = 2 << 20;
    const size_t low = ((size_t)from + page - 1) / page * page, high = ((size_t)from + bytes) / page * page;
    if (low < high) madvise((void*)low, high - low, MADV_HUGEPAGE);
#endif
}
constexpr long ALONE = 1 << 18;  // bytes; fewer are read sooner than another thread is called

// Run `work` on every thread of a region with `bytes` of its own; nobody begins if one of them cannot have that much.
template <class Work>
static void with_room(long threads, size_t bytes, Work work) {
    bool short_of = false;
#pragma omp parallel num_threads(threads)
    {
        if (!arena.open(bytes)) {
#pragma omp atomic write
            short_of = true;
        }
#pragma omp barrier
        if (!short_of) {
            const NothingSmall here;
            work();
        }
    }
    if (short_of) throw std::bad_alloc();
}
static void need(bool there) {
    if (!there) throw std::bad_alloc();
}

// Turn what the engine wants turned once for all blocks; every thread of the region takes part.
template <class E>
static void pack(const Problem& p, char* packed) {
    const long tiles = (p.k_len + BLOCK - 1) / BLOCK;
#pragma omp for schedule(dynamic, 16)
    for (long n = 0; n < p.b * p.g * tiles; ++n) E::pack(p, packed, n / tiles / p.g, n / tiles % p.g, n % tiles);
}

// How many neighbours a thread takes at a time: enough that two threads seldom write side by side, few enough that none waits.
static int neighbours(long count, long threads) { return (int)std::max(1l, count / (threads * 8)); }

template <class E>
static void forward(const Problem& p) {
    const long blocks = (p.q_len + BLOCK - 1) / BLOCK, count = p.b * p.h * blocks;
    static thread_local Arena shared;
    need(shared.open(E::packed_bytes(p)));
    char* const packed = shared.data;
    if (p.weights && !p.weight_mean) in_large_pages(p.weights, p.b * p.weight_heads * p.weight_rows * p.k_len * sizeof(typename E::Number));
    const long items = p.weight_mean ? p.b * blocks : count;
    with_room(p.threads, Forward<E>::bytes(p), [&] {
        Forward<E> run(p, arena, packed);
        if (E::packed_bytes(p)) pack<E>(p, packed);
#pragma omp for schedule(dynamic, neighbours(items, p.threads))
        for (long n = 0; n < items; ++n)
            if (p.weight_mean)  // one thread for all heads of a block, since they add up in one place
                for (long h = 0; h < p.h; ++h) run(n / blocks, h, blocks - 1 - n % blocks);
            else
                run(n / blocks / p.h, n / blocks % p.h, blocks - 1 - n % blocks);
    });
}

template <class E>
static void backward(const Problem& p) {
    using T = typename E::T;
    using Number = typename E::Number;
    const long blocks = (p.q_len + BLOCK - 1) / BLOCK, group = p.h / p.g, heads = p.b * p.g, count = heads * p.splits;
    const long keys = (p.k_len + BLOCK - 1) / BLOCK * BLOCK, dk_wide = Backward<E>::wide(p.d), dv_wide = Backward<E>::wide(p.v_width);
    const long numbers = keys * (dk_wide + dv_wide), relative = p.q_len + p.k_len - 1 + BLOCK;
    static thread_local Arena shared, sums;
    need(shared.open(E::packed_bytes(p)));
    need(sums.open((p.splits > 1 ? count : p.threads) * numbers * sizeof(T)));
    char* const packed = shared.data;
    T* const all = (T*)sums.data;
    with_room(p.threads, Backward<E>::bytes(p), [&] {
        Backward<E> run(p, arena, packed);
        if (E::packed_bytes(p)) pack<E>(p, packed);
#pragma omp for schedule(dynamic, neighbours(count, p.threads))
        for (long n = 0; n < count; ++n) {
            const long head = n / p.splits, b = head / p.g, g = head % p.g, split = n % p.splits;
            T *dk = all + (p.splits > 1 ? n : omp_get_thread_num()) * numbers, *dv = dk + keys * dk_wide;
            std::memset(dk, 0, numbers * sizeof(T));
            const long turns = group * blocks;
            for (long i = turns * split / p.splits; i < turns * (split + 1) / p.splits; ++i) {
                const long h = g * group + i / blocks;
                T* drelative = p.drelative ? (T*)p.drelative + ((split * p.b + b) * p.h + h) * relative : nullptr;
                run(b, h, i % blocks, dk, dk_wide, dv, dv_wide, drelative);
            }
            if (p.splits > 1) continue;
            for (long k = 0; k < p.k_len; ++k) {
                narrow_row(dk + k * dk_wide, p.d, row_of<Number>(p.dk, b, g, k));
                narrow_row(dv + k * dv_wide, p.v_width, row_of<Number>(p.dv, b, g, k));
            }
        }
        if (p.splits > 1) {
#pragma omp for
            for (long n = 0; n < heads * p.k_len; ++n) {
                const long head = n / p.k_len, k = n % p.k_len;
                T* first = all + head * p.splits * numbers;
                T *dk = first + k * dk_wide, *dv = first + keys * dk_wide + k * dv_wide;
                for (long s = 1; s < p.splits; ++s) {
                    for (long c = 0; c < p.d; ++c) dk[c] += dk[s * numbers + c];
                    for (long c = 0; c < p.v_width; ++c) dv[c] += dv[s * numbers + c];
                }
                narrow_row(dk, p.d, row_of<Number>(p.dk, head / p.g, head % p.g, k));
                narrow_row(dv, p.v_width, row_of<Number>(p.dv, head / p.g, head % p.g, k));
            }
        }
    });
}

// Each thread takes shares of the heads' keys; the shares are as many as keep every thread busy to the end.
template <class Number>
static void decode(const Step& s) {
    using Run = Decode<Number>;
    using T = typename Run::T;
    long kept = 0;
    for (long i = 0; i < s.count; ++i) kept += s.ranges[2 * i + 1] - s.ranges[2 * i];
    const long heads = s.b * s.g, tiles = (kept + Run::TILE - 1) / Run::TILE, rows = Run::rows_of(s);
    const bool alone = s.threads == 1 || heads * kept * (s.d + s.v_width) * (long)sizeof(Number) < ALONE;
    const long wanted = alone || heads % s.threads == 0 ? 1 : (4 * s.threads + heads - 1) / heads;
    const long shares = std::max(1l, std::min(wanted, tiles / 4)), numbers = Partial<T>::numbers(rows, Run::wide(s.v_width));
    static thread_local Arena found;
    need(found.open(heads * shares * numbers * sizeof(T) + 64));
    T* const all = (T*)found.data;
    const auto work = [&](long n) {
        Run run(s, arena);
        const long first = tiles * (n % shares) / shares * Run::TILE, last = tiles * (n % shares + 1) / shares * Run::TILE;
        run(n / shares / s.g, n / shares % s.g, first, std::min(kept, last), Partial<T>(all + n * numbers, rows));
    };
    const auto finish = [&](long n) { Run(s, arena).finish(n / s.g, n % s.g, all + n * shares * numbers, shares, numbers); };
    with_room(alone ? 1 : s.threads, Run::bytes(s), [&] {
#pragma omp for schedule(dynamic)
        for (long n = 0; n < heads * shares; ++n) {
            arena.used = 0;
            work(n);
        }
#pragma omp for
        for (long n = 0; n < heads; ++n) {
            arena.used = 0;
            finish(n);
        }
    });
}

// The same for heads that hold different numbers of keys: shares of about as many keys, the longest heads in more of them.
template <class Number>
static void ragged(const Ragged& r) {
    using Run = Decode<Number>;
    using T = typename Run::T;
    struct Item {
        Step step;
        int64_t ranges[8];
        long kept, first, shares;
    };
    const long heads = r.b * r.count;
    if (!heads) return;
    static thread_local Arena turned, kept, found;
    need(turned.open(r.b * r.h * r.d * sizeof(Number) + 64));
    need(kept.open(heads * sizeof(Item) + 64));
    Number* const queries = turned.take<Number>(r.b * r.h * r.d);
    Item* const items = kept.take<Item>(heads);
    const Turn<Number> turn{r};
    long total = 0, most = 1;
    for (long b = 0; b < r.b; ++b) {
        for (long h = 0; h < r.h; ++h) turn((const Number*)r.q.data + b * r.q.b + h * r.q.h, queries + (b * r.h + h) * r.d);
        for (long i = 0; i < r.count; ++i) {
            const Reader& from = r.readers[b * r.count + i];
            if (from.writes) {
                const long slot = slot_of(from, r.length + from.shift);
                turn((const Number*)r.k.data + b * r.k.b + from.key * r.k.h, (Number*)from.k + slot * r.d);
                std::memcpy((Number*)from.v + slot * r.v_width, (const Number*)r.v.data + b * r.v.b + from.key * r.v.h,
                            r.v_width * sizeof(Number));
            }
            Item& item = items[b * r.count + i];
            item.step = step_of(r, from, b, queries, item.ranges);
            item.kept = 0;
            for (long n = 0; n < item.step.count; ++n) item.kept += item.ranges[2 * n + 1] - item.ranges[2 * n];
            total += item.kept, most = std::max(most, (long)from.heads);
        }
    }
    const bool alone = r.threads == 1 || total * (r.d + r.v_width) * (long)sizeof(Number) < ALONE;
    const long share = alone ? total : std::max(4l * Run::TILE, total / (4 * r.threads));
    const long numbers = Partial<T>::numbers(most, Run::wide(r.v_width));
    long shares = 0;
    for (long n = 0; n < heads; ++n) {
        items[n].first = shares, items[n].shares = std::max(1l, alone ? 1 : (items[n].kept + share - 1) / share);
        shares += items[n].shares;
    }
    need(found.open(shares * (numbers * sizeof(T) + sizeof(long)) + 128));
    T* const all = found.take<T>(shares * numbers);
    long* const owner = found.take<long>(shares);  // of each share, whose it is
    for (long n = 0; n < heads; ++n) std::fill_n(owner + items[n].first, items[n].shares, n);
    Step widest = items[0].step;
    widest.h = most;
    with_room(alone ? 1 : r.threads, Run::bytes(widest), [&] {
#pragma omp for schedule(dynamic)
        for (long n = 0; n < shares; ++n) {
            const Item& item = items[owner[n]];
            const long tiles = (item.kept + Run::TILE - 1) / Run::TILE, part = n - item.first;
            const long first = tiles * part / item.shares * Run::TILE, last = tiles * (part + 1) / item.shares * Run::TILE;
            arena.used = 0;
            Run run(item.step, arena);
            run(0, 0, first, std::min(item.kept, last), Partial<T>(all + n * numbers, run.rows));
        }
#pragma omp for
        for (long n = 0; n < heads; ++n) {
            arena.used = 0;
            Run run(items[n].step, arena);
            run.finish(0, 0, all + items[n].first * numbers, items[n].shares, numbers);
        }
    });
}

extern "C" int heedful_forward(const Problem* p) {
    try {
        switch (p->kind) {
            case F32: forward<Plain<float, float>>(*p); return 0;
            case F64: forward<Plain<double, double>>(*p); return 0;
            case F16: forward<Plain<Float16, float>>(*p); return 0;
            case BF16:
#if defined(HEEDFUL_AMX)
                if (amx_allowed()) return forward<Amx>(*p), 0;
#endif
                forward<Plain<BFloat16, float>>(*p);
                return 0;
            default: return 1;
        }
    } catch (...) {
        return 2;
    }
}

extern "C" int heedful_backward(const Problem* p) {
    try {
        switch (p->kind) {
            case F32: backward<PlainBackward<float, float>>(*p); return 0;
            case F64: backward<PlainBackward<double, double>>(*p); return 0;
            case F16: backward<PlainBackward<Float16, float>>(*p); return 0;
            case BF16:
#if defined(HEEDFUL_AMX)
                if (amx_allowed()) return backward<AmxBackward>(*p), 0;
#endif
                backward<PlainBackward<BFloat16, float>>(*p);
                return 0;
            default: return 1;
        }
    } catch (...) {
        return 2;
    }
}

extern "C" int heedful_decode(const Step* s) {
    try {
        switch (s->kind) {
            case F32: return decode<float>(*s), 0;
            case F64: return decode<double>(*s), 0;
            case F16: return decode<Float16>(*s), 0;
            case BF16: return decode<BFloat16>(*s), 0;
            default: return 1;
        }
    } catch (...) {
        return 2;
    }
}

extern "C" int heedful_ragged(const Ragged* r) {
    try {
        switch (r->kind) {
            case F32: return ragged<float>(*r), 0;
            case F64: return ragged<double>(*r), 0;
            case F16: return ragged<Float16>(*r), 0;
            case BF16: return ragged<BFloat16>(*r), 0;
            default: return 1;
        }
    } catch (...) {
        return 2;
    }
}

extern "C" int heedful_problem_size() { return (int)sizeof(Problem); }
extern "C" int heedful_step_size() { return (int)sizeof(Step); }
extern "C" int heedful_ragged_size() { return (int)sizeof(Ragged); }
