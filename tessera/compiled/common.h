#ifndef TESSERA_COMMON_H
#define TESSERA_COMMON_H

#define INLINE static inline __attribute__((always_inline))

/* Round a number between 0 and 2**22, half to even: added and taken away, the constant leaves no bits of a fraction. */
INLINE float half_to_even(float number)
{
    const float to_whole = 12582912.0f;
    return number + to_whole - to_whole;
}

#endif
