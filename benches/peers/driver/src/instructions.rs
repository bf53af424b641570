//! Work for callgrind, which counts instructions: `cargo xtask instructions`.
//!
//! The calls of each end pass through a function of a known name, in which alone callgrind is told to count
//! (`--toggle-collect`), and so does each question, behind which it writes down what it has (`--dump-after`). Every unit
//! of work follows one that is not counted, so that what is made once is made.

use std::hint::black_box;

use crate::{Case, End, Failure, Library, Times, connect};

/// `units` handshakes, tickets included.
#[inline(never)]
pub(crate) fn question_of_handshakes<L: Library>(
    library: &L,
    case: Case,
    units: usize,
) -> Result<String, Failure> {
    let mut wire = Vec::with_capacity(64 * 1024);
    for _ in 0..2 {
        connect(&mut library.client()?, &mut library.server()?, &mut Times::default(), &mut wire)?;
    }
    for _ in 0..units {
        let mut client = client_calls(|| library.client())?;
        let mut server = server_calls(|| library.server())?;
        shake(&mut client, &mut server, &mut wire)?;
        if client.resumed() != case.resumed {
            return Err(if case.resumed { "not resumed" } else { "resumed" }.into());
        }
        client_calls(|| drop(client));
        server_calls(|| drop(server));
    }
    Ok(units.to_string())
}

fn shake(client: &mut impl End, server: &mut impl End, wire: &mut Vec<u8>) -> Result<(), Failure> {
    for _ in 0..8 {
        let done = !client.is_handshaking() && !server.is_handshaking();
        wire.clear();
        client_calls(|| client.transmit(wire))?;
        if !wire.is_empty() {
            server_calls(|| server.receive(wire))?;
        }
        wire.clear();
        server_calls(|| server.transmit(wire))?;
        if !wire.is_empty() {
            client_calls(|| client.receive(wire))?;
        }
        if done {
            return Ok(());
        }
    }
    Err("the handshake does not end".into())
}

/// `units` writes of `size` bytes, each one record: the client seals, the server opens.
#[inline(never)]
pub(crate) fn question_of_records<L: Library>(
    library: &L,
    size: usize,
    units: usize,
) -> Result<String, Failure> {
    let mut wire = Vec::with_capacity(size + 64 * 1024);
    let (mut client, mut server) = (library.client()?, library.server()?);
    connect(&mut client, &mut server, &mut Times::default(), &mut wire)?;
    let data = vec![7; size];
    for unit in 0..=units {
        wire.clear();
        let received = if unit == 0 {
            client.send(&data, &mut wire)?;
            server.receive(&mut wire)?
        } else {
            client_calls(|| client.send(&data, &mut wire))?;
            server_calls(|| server.receive(&mut wire))?
        };
        if received != size {
            return Err(format!("{received} of {size} bytes came").into());
        }
    }
    Ok(units.to_string())
}

/// What the client does.
#[inline(never)]
fn client_calls<T>(act: impl FnOnce() -> T) -> T {
    black_box(act())
}

/// What the server does.
#[inline(never)]
fn server_calls<T>(act: impl FnOnce() -> T) -> T {
    black_box(act())
}
