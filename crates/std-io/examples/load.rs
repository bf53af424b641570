//! A client that opens many connections and keeps them: what `cargo xtask scale` sends to the servers beside this file.
//!
//! `load DIR PORT THREADS` trusts the root in that folder and reads what to do, line by line: `open N` brings the number of
//! its connections to N, `echo N` sends 100 bytes and reads them back so often, one connection after the other. Each is
//! answered by the nanoseconds that it took. Without arguments it opens four, to a server of its own.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::env;
use std::error::Error;
use std::io::{Read, Write, stdin};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, Credential, KeyAlgorithm, NamedGroup, Roots, ServerConfig,
    ServerConnection,
};
use oxtls_std::Stream;
use oxtls_test_pki::{Ca, LeafSpec};

const NAME: &str = "server.test";
const MESSAGE: [u8; 100] = [7; 100];

type Failure = Box<dyn Error + Send + Sync>;
type Connection = Stream<oxtls::Client, TcpStream>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, port, threads] = arguments.as_slice() else { return demonstrate() };
    let mut roots = Roots::empty();
    roots.add_pem_file(Path::new(folder).join("ecdsa-root.pem"))?;
    let mut load = Load::new(client(roots)?, port.parse()?, threads.parse()?);
    for line in stdin().lines() {
        println!("{}", load.act(&line?)?);
    }
    Ok(())
}

fn client(roots: Roots) -> Result<ClientConfig, Failure> {
    // One group, so that every server is given the same work.
    let client = ClientConfig::builder().roots(Arc::new(roots)).groups(&[NamedGroup::X25519]);
    Ok(client.no_sessions().build()?)
}

struct Load {
    config: ClientConfig,
    port: u16,
    /// One list for each thread.
    open: Vec<Vec<Connection>>,
    /// Where in their lists echoes go on.
    next: usize,
}

impl Load {
    fn new(config: ClientConfig, port: u16, threads: usize) -> Self {
        Self { config, port, open: (0..threads.max(1)).map(|_| Vec::new()).collect(), next: 0 }
    }

    /// Does what a line says: the nanoseconds that it took.
    fn act(&mut self, line: &str) -> Result<u128, Failure> {
        let (verb, number) = line.split_once(' ').ok_or("what is to be done?")?;
        let number: usize = number.parse()?;
        let start = Instant::now();
        match verb {
            "open" => self.open(number)?,
            "echo" => self.echo(number)?,
            _ => return Err(format!("not understood: {line}").into()),
        }
        Ok(start.elapsed().as_nanos())
    }

    fn open(&mut self, total: usize) -> Result<(), Failure> {
        let (config, port) = (&self.config, self.port);
        let threads = self.open.len();
        together(&mut self.open, |place, list| {
            let share = share(total, threads, place);
            while list.len() < share {
                let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
                socket.set_nodelay(true)?;
                let connection = ClientConnection::new(config, ServerName::try_from(NAME)?)?;
                let mut tls = Stream::new(connection, socket);
                tls.handshake()?;
                // The server has its side done when it answers.
                say(&mut tls)?;
                tls.connection_mut().take_info();
                list.push(tls);
            }
            Ok(())
        })
    }

    fn echo(&mut self, total: usize) -> Result<(), Failure> {
        let (threads, next) = (self.open.len(), self.next);
        self.next = next.wrapping_add(total);
        together(&mut self.open, |place, list| {
            let held = list.len().max(1);
            for number in 0..share(total, threads, place) {
                let at = next.wrapping_add(number).checked_rem(held).unwrap_or_default();
                if let Some(tls) = list.get_mut(at) {
                    say(tls)?;
                }
            }
            Ok(())
        })
    }
}

/// What this thread has of so many.
fn share(total: usize, threads: usize, place: usize) -> usize {
    total
        .saturating_add(threads)
        .saturating_sub(place)
        .saturating_sub(1)
        .checked_div(threads)
        .unwrap_or_default()
}

/// Each list on a thread of its own.
fn together(
    lists: &mut [Vec<Connection>],
    act: impl Fn(usize, &mut Vec<Connection>) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    thread::scope(|scope| {
        let act = &act;
        let threads: Vec<_> =
            lists.iter_mut().enumerate().map(|(place, list)| scope.spawn(move || act(place, list))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".into())))
    })
}

/// A message there, and back.
fn say(tls: &mut Connection) -> Result<(), Failure> {
    let mut heard = [0; MESSAGE.len()];
    tls.write_all(&MESSAGE)?;
    tls.flush()?;
    tls.read_exact(&mut heard)?;
    if heard == MESSAGE { Ok(()) } else { Err("the echo says something else".into()) }
}

fn demonstrate() -> Result<(), Failure> {
    let ca = Ca::new("Example Authority", KeyAlgorithm::EcdsaP256);
    let issued = ca.issue(LeafSpec::server(NAME));
    let server = ServerConfig::builder().credential(Credential::new(issued.chain, issued.key)?).build()?;
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut load = Load::new(client(roots)?, listener.local_addr()?.port(), 2);
    thread::spawn(move || -> Result<(), Failure> {
        for socket in listener.incoming() {
            let mut tls = Stream::new(ServerConnection::new(&server), socket?);
            thread::spawn(move || -> Result<(), Failure> {
                let mut message = MESSAGE;
                loop {
                    tls.read_exact(&mut message)?;
                    tls.write_all(&message)?;
                    tls.flush()?;
                }
            });
        }
        Ok(())
    });
    load.act("open 4")?;
    load.act("echo 20")?;
    assert_eq!(load.open.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    println!("four connections on two threads, and twenty messages that came back");
    Ok(())
}
