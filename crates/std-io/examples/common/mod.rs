//! What the servers of these examples share: their configuration, and a caller that shows that they answer.

use std::error::Error;
use std::io::{Read, Write, stdin};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::{env, io, thread};

use oxtls::pki_types::ServerName;
use oxtls::{ClientConfig, ClientConnection, Credential, KeyAlgorithm, Roots, ServerConfig};
use oxtls_std::Stream;
use oxtls_test_pki::{Ca, LeafSpec};

/// The name in the server's certificate.
const NAME: &str = "server.test";

/// Serves a listener for ever, on so many threads where that is for it to choose.
pub(crate) type Serve = fn(TcpListener, ServerConfig, usize) -> io::Result<()>;

/// Without arguments: serves three clients of its own. With `DIR [THREADS]`: serves the certificate in that folder on a
/// port that it prints, until its standard input ends.
pub(crate) fn run(serve: Serve) -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let Some(folder) = arguments.next() else { return demonstrate(serve, listener, port) };
    let threads = match arguments.next() {
        Some(threads) => threads.to_string_lossy().parse()?,
        None => 1,
    };
    let folder = Path::new(&folder);
    let credential =
        Credential::from_pem_files(folder.join("ecdsa-server.pem"), folder.join("ecdsa-server.key"))?;
    // Each handshake is a full one: what is measured is that.
    let config = ServerConfig::builder().credential(credential).no_resumption().build()?;
    thread::spawn(move || serve(listener, config, threads));
    println!("{port}");
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn demonstrate(serve: Serve, listener: TcpListener, port: u16) -> Result<(), Box<dyn Error>> {
    let ca = Ca::new("Example Authority", KeyAlgorithm::EcdsaP256);
    let issued = ca.issue(LeafSpec::server(NAME));
    let server = ServerConfig::builder().credential(Credential::new(issued.chain, issued.key)?).build()?;
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate())?;
    let client = ClientConfig::builder().roots(Arc::new(roots)).build()?;
    thread::spawn(move || serve(listener, server, 2));
    let mut open = Vec::new();
    for _ in 0..3 {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        let connection = ClientConnection::new(&client, ServerName::try_from(NAME)?)?;
        open.push(Stream::new(connection, socket));
    }
    let said: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
    for size in [1, 5_000, said.len()] {
        for tls in &mut open {
            let said = said.get(..size).unwrap_or_default();
            // What comes back while this goes out waits in the sockets: no more at once than they take.
            let mut heard = vec![0; 8 * 1024];
            for part in said.chunks(8 * 1024) {
                tls.write_all(part)?;
                tls.flush()?;
                let heard = heard.get_mut(..part.len()).unwrap_or_default();
                tls.read_exact(heard)?;
                assert_eq!(heard, part, "an echo says what it heard");
            }
        }
    }
    for mut tls in open {
        tls.shutdown()?;
        assert_eq!(tls.read(&mut [0])?, 0, "and closes when it is told to");
    }
    println!("three connections at once: 405,001 bytes came back on each, and each was closed in order");
    Ok(())
}
