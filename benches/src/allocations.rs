//! An allocator that counts what the present thread does. A test or bench makes it its own:
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: oxtls_benches::allocations::Counting = oxtls_benches::allocations::Counting;
//! ```
//!
//! It sees what Rust code allocates; what C code gets from `malloc` passes it by, but not [`in_use`].
#![allow(unsafe_code, reason = "the one way to count allocations; no library crate has any")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counted per thread.
pub struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

/// What this thread has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Allocations and reallocations.
    pub allocations: u64,
    /// Bytes that they asked for, a reallocation's anew.
    pub bytes: u64,
    /// Bytes allocated and not freed; negative where others' were freed.
    pub live: i64,
}

/// What this thread has done so far.
#[must_use]
pub fn tally() -> Tally {
    Tally { allocations: count(), bytes: BYTES.with(Cell::get), live: LIVE.with(Cell::get) }
}

/// Allocations and reallocations of this thread so far.
#[must_use]
pub fn count() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

fn counted(size: usize) {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
    BYTES.with(|bytes| bytes.set(bytes.get() + size as u64));
    live(size as i64);
}

fn live(change: i64) {
    LIVE.with(|live| live.set(live.get() + change));
}

// SAFETY: every call goes to the system's allocator as it came; the counter is a constant-initialised thread-local
// without a destructor, so using it neither allocates nor fails while a thread ends.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        counted(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        counted(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        counted(size);
        live(-(layout.size() as i64));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        live(-(layout.size() as i64));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Bytes in use that `malloc` has handed out in this process, to Rust and to C alike and with what it rounds up, all
/// threads together; `None` where the C library does not say.
#[must_use]
pub fn in_use() -> Option<usize> {
    heap::in_use()
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod heap {
    /// glibc's `struct mallinfo2` (malloc.h).
    #[repr(C)]
    struct Mallinfo2 {
        arena: usize,
        ordblks: usize,
        smblks: usize,
        hblks: usize,
        hblkhd: usize,
        usmblks: usize,
        fsmblks: usize,
        uordblks: usize,
        fordblks: usize,
        keepcost: usize,
    }

    unsafe extern "C" {
        safe fn mallinfo2() -> Mallinfo2;
    }

    pub(super) fn in_use() -> Option<usize> {
        let info = mallinfo2();
        Some(info.uordblks + info.hblkhd)
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod heap {
    pub(super) fn in_use() -> Option<usize> {
        None
    }
}
