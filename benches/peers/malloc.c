/* Counts what a process allocates: put before it by LD_PRELOAD. Bytes are those that the allocator set aside. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static _Atomic int64_t live, peak, count;

static void add(void *pointer) {
    if (!pointer) return;
    int64_t now = atomic_fetch_add(&live, (int64_t)malloc_usable_size(pointer)) + (int64_t)malloc_usable_size(pointer);
    int64_t most = atomic_load(&peak);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now)) {}
    atomic_fetch_add(&count, 1);
}

static void take(void *pointer) {
    if (pointer) atomic_fetch_sub(&live, (int64_t)malloc_usable_size(pointer));
}

void *malloc(size_t size) {
    void *pointer = __libc_malloc(size);
    add(pointer);
    return pointer;
}

void *calloc(size_t number, size_t size) {
    void *pointer = __libc_calloc(number, size);
    add(pointer);
    return pointer;
}

void *realloc(void *old, size_t size) {
    take(old);
    void *pointer = __libc_realloc(old, size);
    if (pointer) add(pointer);
    else if (size) take(NULL);
    return pointer;
}

void *memalign(size_t alignment, size_t size) {
    void *pointer = __libc_memalign(alignment, size);
    add(pointer);
    return pointer;
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size) {
    *out = memalign(alignment, size);
    return *out || !size ? 0 : 12;
}

void free(void *pointer) {
    take(pointer);
    __libc_free(pointer);
}

void count_allocations(int64_t out[3]) {
    out[0] = atomic_load(&live);
    out[1] = atomic_load(&peak);
    out[2] = atomic_load(&count);
}

void reset_allocation_peak(int64_t out[3]) {
    atomic_store(&peak, atomic_load(&live));
    count_allocations(out);
}
