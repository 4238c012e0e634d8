// What this processor can do, from itself: compilers' own ways of asking are not in all of them.
// Bits: Intel 64 and IA-32 Architectures Software Developer's Manual, vol. 2A, CPUID and XGETBV.
#include "network.h"

#include <cpuid.h>

static int has(unsigned bits, unsigned all) { return (bits & all) == all; }

int network_runs_here(void) {
    enum { FMA = 1 << 12, OSXSAVE = 1 << 27, AVX = 1 << 28 };  // leaf 1, ECX
    enum { AVX2 = 1 << 5, AVX512F = 1 << 16, AVX512DQ = 1 << 17, AVX512BW = 1 << 30 };  // leaf 7, EBX
#define AVX512VL (1u << 31)
    enum { OF_AVX = 0x06, OF_AVX512 = 0xe0 };  // registers that the system keeps for each process
    unsigned eax, ebx, ecx, edx, kept, high;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !has(ecx, FMA | OSXSAVE | AVX))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(kept), "=d"(high) : "c"(0));
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !has(ebx, AVX2) || !has(kept, OF_AVX))
        return 0;
#ifdef __AVX512F__
    return has(ebx, AVX512F | AVX512DQ | AVX512BW | AVX512VL) && has(kept, OF_AVX512);
#else
    return 1;
#endif
}
