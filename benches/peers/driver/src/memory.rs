//! What connections hold: every allocation counted, of Rust and of C alike, by the library that `xtask` puts before the
//! process (`LD_PRELOAD`, `malloc.c`). Without it nothing is counted, and the contender says so.

use crate::{Case, End, Failure, Library, Times, connect};

/// A moment's count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes allocated and not freed.
    pub live: i64,
    /// The most of those since [`Usage::reset_peak`].
    pub peak: i64,
    /// Allocations so far.
    pub count: i64,
}

unsafe extern "C" {
    fn dlsym(handle: *mut core::ffi::c_void, name: *const core::ffi::c_char) -> *mut core::ffi::c_void;
}

type Counter = unsafe extern "C" fn(*mut [i64; 3]);

fn counter(name: &core::ffi::CStr) -> Result<Counter, Failure> {
    // SAFETY: a null handle searches every library of the process; the name ends with a zero.
    let symbol = unsafe { dlsym(core::ptr::null_mut(), name.as_ptr()) };
    if symbol.is_null() {
        return Err("nothing counts allocations: malloc.c was not loaded".into());
    }
    // SAFETY: malloc.c defines these two names, with this signature.
    Ok(unsafe { core::mem::transmute::<*mut core::ffi::c_void, Counter>(symbol) })
}

impl Usage {
    /// Now.
    pub fn now() -> Result<Self, Failure> {
        let mut values = [0; 3];
        // SAFETY: as above; it writes three numbers.
        unsafe { counter(c"count_allocations")?(&raw mut values) };
        let [live, peak, count] = values;
        Ok(Self { live, peak, count })
    }

    fn reset_peak() -> Result<(), Failure> {
        let mut values = [0; 3];
        // SAFETY: as above.
        unsafe { counter(c"reset_allocation_peak")?(&raw mut values) };
        Ok(())
    }
}

/// `count` connections, all held: what each costs at each end, after its handshake; then after 16 KiB there and back;
/// and allocations and peak of one handshake.
pub(crate) fn measure<L: Library>(library: &L, _case: Case, count: usize) -> Result<String, Failure> {
    let mut wire = Vec::with_capacity(128 * 1024);
    // What is made once does not count.
    connect(&mut library.client()?, &mut library.server()?, &mut Times::default(), &mut wire)?;
    let (handshake, echo) = [false, true].map(|echo| ends(library, count, echo, &mut wire)).into();
    let ((server, client), (server_echo, client_echo)) = (handshake?, echo?);
    let (peak, allocations) = one(library, &mut wire)?;
    Ok(format!("{server} {client} {server_echo} {client_echo} {peak} {allocations}"))
}

/// Bytes of a server and of a client: both are made, one side is dropped first, so that what each frees is told apart.
fn ends<L: Library>(
    library: &L,
    count: usize,
    echo: bool,
    wire: &mut Vec<u8>,
) -> Result<(i64, i64), Failure> {
    let (mut clients, mut servers) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count {
        // On the heap, as whoever holds many has them: the size of the value counts as well.
        let (mut client, mut server) = (Box::new(library.client()?), Box::new(library.server()?));
        connect(&mut *client, &mut *server, &mut Times::default(), wire)?;
        if echo {
            let data = [7; 16 * 1024];
            wire.clear();
            client.send(&data, wire)?;
            server.receive(wire)?;
            wire.clear();
            server.send(&data, wire)?;
            client.receive(wire)?;
        }
        clients.push(client);
        servers.push(server);
    }
    let held = Usage::now()?.live;
    clients.clear();
    let without_clients = Usage::now()?.live;
    servers.clear();
    let without_any = Usage::now()?.live;
    let each = |bytes: i64| bytes / i64::try_from(count).unwrap_or(1);
    Ok((each(without_clients - without_any), each(held - without_clients)))
}

/// The most that both ends hold at once in a handshake, and how many allocations they make.
fn one<L: Library>(library: &L, wire: &mut Vec<u8>) -> Result<(i64, i64), Failure> {
    Usage::reset_peak()?;
    let before = Usage::now()?;
    let (mut client, mut server) = (library.client()?, library.server()?);
    connect(&mut client, &mut server, &mut Times::default(), wire)?;
    let after = Usage::now()?;
    Ok((after.peak - before.live, after.count - before.count))
}
