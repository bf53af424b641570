//! An echo server with a thread for each connection, over blocking sockets: the shortest there is.
//!
//! `cargo run -p oxtls-std --example threads` shows that it works; `cargo xtask scale` gives it 10,000 connections.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod common;

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use oxtls::{ServerConfig, ServerConnection};
use oxtls_std::Stream;

/// The stack of one connection's thread, bytes: pages that it does not touch take no memory.
const STACK: usize = 256 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    common::run(serve)
}

/// As many threads as connections, whatever is asked for.
fn serve(listener: TcpListener, config: ServerConfig, _threads: usize) -> io::Result<()> {
    for socket in listener.incoming() {
        let (socket, config) = (socket?, config.clone());
        // A connection that fails ends alone; its peer has been told why.
        thread::Builder::new().stack_size(STACK).spawn(move || echo(socket, &config))?;
    }
    Ok(())
}

fn echo(socket: TcpStream, config: &ServerConfig) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut tls = Stream::new(ServerConnection::new(config), socket);
    tls.handshake()?;
    // Who only echoes has no use for what the handshake came to.
    tls.connection_mut().take_info();
    let mut buffer = [0; 4096];
    loop {
        let len = tls.read(&mut buffer)?;
        if len == 0 {
            return tls.shutdown();
        }
        tls.write_all(buffer.get(..len).unwrap_or_default())?;
        tls.flush()?;
    }
}
