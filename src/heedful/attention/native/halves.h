// Sixteen-bit numbers: to float and back, and tiles of any type as dense float or double.
#pragma once
#include <type_traits>

#include "vectors.h"

struct BFloat16 {
    uint16_t bits;
};
struct Float16 {
    uint16_t bits;
};

inline float widen(BFloat16 x) {
    const uint32_t bits = (uint32_t)x.bits << 16;
    float y;
    std::memcpy(&y, &bits, 4);
    return y;
}
inline float widen(Float16 x) {
    _Float16 y;
    std::memcpy(&y, &x, 2);
    return (float)y;
}
inline float widen(float x) { return x; }
inline double widen(double x) { return x; }

template <class To, class From>
inline To narrow(From x) {
    return (To)x;
}
template <>
inline BFloat16 narrow<BFloat16, float>(float x) {  // to the nearest, ties to even; NaN stays one
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    return {(uint16_t)(x != x ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}
template <>
inline Float16 narrow<Float16, float>(float x) {
    const _Float16 y = (_Float16)x;
    Float16 z;
    std::memcpy(&z, &y, 2);
    return z;
}

// to (rows, width padded with zeros to `padded`, dense) = from; rows from `rows` to `whole` are zero.
template <class T, class From>
void unfold(long rows, long whole, long width, long padded, const From* from, long by, T* to) {
    for (long r = 0; r < rows; ++r) {
        for (long c = 0; c < width; ++c) to[r * padded + c] = widen(from[r * by + c]);
        for (long c = width; c < padded; ++c) to[r * padded + c] = 0;
    }
    std::memset(to + rows * padded, 0, (whole - rows) * padded * sizeof(T));
}

template <class To, class From>
inline void narrow_row(const From* from, long count, To* to) {
    for (long i = 0; i < count; ++i) to[i] = narrow<To>((std::conditional_t<sizeof(To) == 2, float, From>)from[i]);
}
