// Memory for columns that are about to be filled.
#pragma once
#include <stddef.h>

// The most bytes that one call of fed_prepare_heap can do something for.
enum { FED_PREPARE_BYTES_MAX = 30 << 20 };

// Asks for huge pages behind the next byte_count bytes or so that this thread allocates: one page
// fault for 2 MiB and not for 4 KiB, which is a third of the time of reading a file into columns.
// Allocates nothing that lasts, and is advice only: elsewhere than on Linux with glibc, or where
// the heap has free pieces to use first, nothing changes but speed.
void fed_prepare_heap(size_t byte_count);
