// How the calling thread stands to others.
#pragma once
#include <stdint.h>

// Lets the calling thread give way to all that are not nice: nice says how much it gets while others
// are busy, and the slice, in nanoseconds, how long it may keep a processor from one that wakes.
// Linux knows slices since 6.12; where they are not known, or nothing may be changed, what can be
// done is done.
void fed_thread_give_way(int nice, uint64_t slice_nanoseconds);
