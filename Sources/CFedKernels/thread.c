#define _GNU_SOURCE
#include "fed_thread.h"

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// As sched_setattr takes it, which the C library does not wrap everywhere.
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

void fed_thread_give_way(int nice, uint64_t slice_nanoseconds) {
    // Policy 0 is the ordinary one; thread 0 is the one that calls.
    struct attributes attributes = {
        .size = sizeof attributes, .nice = nice, .runtime = slice_nanoseconds};
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) {
        // Of Linux's threads each has a nice value of its own.
        (void)setpriority(PRIO_PROCESS, 0, nice);
    }
}
#else
void fed_thread_give_way(int nice, uint64_t slice_nanoseconds) {
    (void)nice;
    (void)slice_nanoseconds;
}
#endif
