// Attention by tiles: for each block of 64 queries, over the tiles that hold something, scores, running softmax, sum of values.
// Dao et al. 2022, arXiv 2205.14135, algorithm 1, with the queries along the vectors throughout.
#pragma once
#include "dropout.h"
#include "extras.h"
#include "softmax.h"

template <class E>
struct Forward {
    using T = typename E::T;
    using Number = typename E::Number;
    static constexpr long L = Lanes<T>::count, COLUMNS = BLOCK / L;
    const Problem& p;
    E engine;
    Extras<T, E::COARSE> extras;
    Running<T>* run;
    bool steady[COLUMNS];  // whether the last tile left a vector's reference where it was
    T *scores, *out, *turned, *own, *lse, *inverse, *last;

    static size_t bytes(const Problem& p) {
        return E::bytes(p) + Extras<T, E::COARSE>::bytes(p) + sizeof(Running<T>) + (3 * BLOCK * BLOCK + (2 * (p.v_width + 32) + 4) * BLOCK + 512) * sizeof(T) + 4096;
    }
    Forward(const Problem& p, Arena& arena, const char* packed) : p(p), engine(p, arena, packed), extras(p, arena) {
        run = arena.take<Running<T>>(1);
        scores = own = arena.take<T>(BLOCK * BLOCK);
        turned = arena.take<T>(BLOCK * BLOCK);
        out = arena.take<T>(padded() * BLOCK);
        last = arena.take<T>(padded() * BLOCK);
        lse = arena.take<T>(3 * BLOCK);
        inverse = lse + BLOCK;
    }

    long padded() const { return (p.v_width + 31) / 32 * 32; }  // as the products write it

    // Where the sums of a vector's queries for one number of the values stand.
    T* mixed(long c, long column) { return out + Lie<E::COARSE>::of(column, L, padded()) + c * Lie<E::COARSE>::by; }

    void shrink(long column, Vec<T> by) {
        for (long c = 0; c < p.v_width; ++c) {
            T* at = mixed(c, column);
            store(at, load<Vec<T>>(at) * by);
        }
    }

    void operator()(long b, long h, long block) {
        const long g = h / (p.h / p.g);
        const Terms<T> s = terms_of<T>(p, b, h, turned, nullptr);
        const Dropout dropout(p, b, h, block);
        Entries entries(p, b, h, block);
        if (p.relative) entries.begin_near(block);
        engine.open(b, h, block);
        extras.open(b, h, block, entries.to - entries.from, dropout.on);
        for (bool& x : steady) x = true;
        run->open(p.entropy);
        std::memset(out, 0, padded() * BLOCK * sizeof(T));
        const auto place = [&](long entry) {  // where a tile's scores go, and for most engines its weights
            return scores = extras.panel.direct && !E::COARSE ? extras.panel.tiles + entry * BLOCK * BLOCK : own;
        };
        engine.sweep(entries, block, b, g, place, out, [&](const Tile<T>& t, long c, long entry) {
            if (c % (COLUMNS / 2) == 0) place_bias(s, t);
            soften(s, dropout, t, c, entry);
        });
        finish(b, h, block);
    }

    // Scores of a vector's queries to weights that the engine can sum values with.
    void soften(const Terms<T>& s, const Dropout& dropout, const Tile<T>& t, long c, long entry) {
        const Vec<T> before = load<Vec<T>>(run->l + c * L);
        const bool look = extras.looks(t), fast = !look && !dropout.on;
        if constexpr (E::COARSE)
            if (extras.panel.direct) engine.slot = extras.panel.slot(entry);
        if (fast && (!p.top || s.plain(t)) && steady[c] && engine.weigh_at_once(*run, s, t, c, scores)) {
            extras.scores(t, c, s.factor * (T)LOG2E, scores);
            extras.sum(t, c, load<Vec<T>>(run->l + c * L) - before);
        } else {
            move(s, t, c);
            extras.scores(t, c, s.plain(t) ? s.factor * (T)LOG2E : (T)1, scores);
            const Vec<T> l = load<Vec<T>>(run->l + c * L);
            if (fast)
                engine.weigh_column(*run, s, t, c, scores);
            else
                weigh_and_look(s, dropout, t, c, entry, look);
            extras.sum(t, c, load<Vec<T>>(run->l + c * L) - l);
        }
        if (extras.panel.direct) extras.panel.mark(t, c, entry, *run);
    }

    void move(const Terms<T>& s, const Tile<T>& t, long c) {
        Vec<T> by;
        steady[c] = !moved(*run, c, largest<E::COARSE>(s, t, c, scores), by);
        if (steady[c]) return;
        engine.mix_held(out);  // by the reference it was weighed with
        shrink(c, by);
        extras.shrink(c, by);
    }

    void weigh_and_look(const Terms<T>& s, const Dropout& dropout, const Tile<T>& t, long c, long entry, bool look) {
        weigh<E::COARSE>(*run, s, t, c, scores, Rows<E::COARSE, T>{scores + Lie<E::COARSE>::of(c, L, BLOCK)});
        if (look) extras.look(t, c, entry, *run, scores);
        if (dropout.on) thin(dropout, t, c);
        engine.settle(t, c, scores);
    }

    void thin(const Dropout& dropout, const Tile<T>& t, long c) {
        for (long k = t.low[c]; k < t.high[c]; ++k) {
            T* at = scores + Lie<E::COARSE>::of(c, L, BLOCK) + k * Lie<E::COARSE>::by;
            store(at, load<Vec<T>>(at) * dropout.draw(T(), t.key + k, c));
        }
    }

    void finish(long b, long h, long block) {
        const long i = block * BLOCK, rows = std::min(BLOCK, (long)p.q_len - i);
        close(*run, p.sinks ? (const double*)p.sinks + h : nullptr, lse, inverse, lse + 2 * BLOCK);
        std::memcpy((T*)p.lse + (b * p.h + h) * p.q_len + i, lse, rows * sizeof(T));
        for (long c = 0; c < p.v_width; ++c)
            for (long j = 0; j < BLOCK; j += L) {
                const Vec<T> x = load<Vec<T>>(inverse + j);
                T* at = mixed(c, j / L);
                store(at, x == (T)0 ? Vec<T>{} : load<Vec<T>>(at) * x);
            }
        Number* to = row_of<Number>(p.out, b, h, i);
        if constexpr (std::is_same_v<Number, T>) {
            turn(p.v_width, rows, out, BLOCK, to, p.out.n);
        } else {
            constexpr long BY = Lie<E::COARSE>::by;
            for (long r = 0; r < rows; r += BY) turn(p.v_width, std::min(BY, rows - r), mixed(0, r / L), BY, last + r * p.v_width, p.v_width);
            for (long r = 0; r < rows; ++r) narrow_row(last + r * p.v_width, p.v_width, to + r * p.out.n);
        }
        extras.finish(*run, lse, inverse);
    }
};
