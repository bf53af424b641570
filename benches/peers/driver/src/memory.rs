//! What connections hold: every allocation counted, of Rust and of C alike, by the library that `xtask` puts before the
//! process (`LD_PRELOAD`, `malloc.c`). Without it nothing is counted, and the contender says so.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use crate::{End, Failure, Library, Times, connect};

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

/// Where malloc.c writes its numbers.
fn counts() -> Result<&'static File, Failure> {
    static COUNTS: OnceLock<Option<File>> = OnceLock::new();
    let open = || OpenOptions::new().read(true).write(true).open(std::env::var_os("ALLOCATIONS")?).ok();
    COUNTS
        .get_or_init(open)
        .as_ref()
        .ok_or_else(|| "nothing counts allocations: malloc.c was not loaded".into())
}

impl Usage {
    /// Now.
    pub fn now() -> Result<Self, Failure> {
        let mut bytes = [0; 24];
        counts()?.read_exact_at(&mut bytes, 0)?;
        let (numbers, _) = bytes.as_chunks();
        let &[live, peak, count] = numbers else { return Err("three numbers".into()) };
        let [live, peak, count] = [live, peak, count].map(i64::from_ne_bytes);
        if count == 0 {
            return Err("nothing counts allocations: malloc.c was not loaded".into());
        }
        Ok(Self { live, peak, count })
    }

    fn reset_peak() -> Result<(), Failure> {
        Ok(counts()?.write_all_at(&Self::now()?.live.to_ne_bytes(), 8)?)
    }
}

/// `count` connections, all held: what each costs at each end, after its handshake; then after 16 KiB there and back;
/// and allocations and peak of one handshake.
pub(crate) fn measure<L: Library>(library: &L, count: usize) -> Result<String, Failure> {
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
