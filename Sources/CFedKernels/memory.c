#if defined(__linux__)
#define _GNU_SOURCE  // madvise
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "fed_memory.h"

#include <stdint.h>
#include <stdlib.h>

void fed_prepare_heap(size_t byte_count) {
#if defined(__GLIBC__) && defined(MADV_HUGEPAGE)
    if (byte_count == 0 || byte_count > FED_PREPARE_BYTES_MAX) return;
    // A large allocation is mapped by itself, and freeing it teaches glibc to take the next one of
    // that size from the heap instead, and to keep that when it is freed (mallopt(3),
    // M_MMAP_THRESHOLD). So the second one is advised and freed, and what is allocated next is cut
    // from it. Advice that came later would miss: the allocator's headers would already have
    // touched a small page in each huge one. Volatile, or the compiler would drop the pairs.
    void *volatile block = malloc(byte_count);
    free(block);
    block = malloc(byte_count);
    if (block == NULL) return;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = (uintptr_t)block & ~(page - 1);
    const uintptr_t end = ((uintptr_t)block + byte_count) & ~(page - 1);
    if (end > first) madvise((void *)first, end - first, MADV_HUGEPAGE);
    free(block);
#else
    (void)byte_count;
#endif
}
