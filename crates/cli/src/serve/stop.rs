//! Ending a server from outside: every session says goodbye first.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long waking the listener may take.
const WAKE: Duration = Duration::from_secs(1);

/// Who is being served, and whether that is to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    flag: Arc<AtomicBool>,
    sessions: Arc<Mutex<HashMap<u64, TcpStream>>>,
}

impl Stop {
    /// What a session's transport looks at.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Whether the server is to end.
    pub(super) fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// A session has begun.
    pub(super) fn add(&self, number: u64, socket: &TcpStream) {
        if let Ok(socket) = socket.try_clone() {
            self.sessions().insert(number, socket);
        }
        if self.is_set() {
            self.interrupt();
        }
    }

    /// A session is over.
    pub(super) fn remove(&self, number: u64) {
        self.sessions().remove(&number);
    }

    /// Ends the server: sessions that wait for their client wake up, and so does the listener at `address`.
    fn set(&self, address: SocketAddr) {
        self.flag.store(true, Ordering::SeqCst);
        self.interrupt();
        let _ = TcpStream::connect_timeout(&reachable(address), WAKE);
    }

    fn interrupt(&self) {
        for socket in self.sessions().values() {
            let _ = socket.shutdown(Shutdown::Read);
        }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<u64, TcpStream>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the server at SIGINT and SIGTERM; a second one ends the process at once.
    #[cfg(unix)]
    pub(super) fn on_signals(&self, address: SocketAddr) -> std::io::Result<()> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
        let stop = self.clone();
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if stop.is_set() {
                    // As a shell tells it: ended by a signal.
                    std::process::exit(signal.saturating_add(128));
                }
                stop.set(address);
            }
        })?;
        Ok(())
    }

    /// Nothing to hear of signals with: they end the process.
    #[cfg(not(unix))]
    pub(super) fn on_signals(&self, _address: SocketAddr) -> std::io::Result<()> {
        Ok(())
    }
}

/// Where a listener on any address can be reached from here.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        match address {
            SocketAddr::V4(_) => address.set_ip(std::net::Ipv4Addr::LOCALHOST.into()),
            SocketAddr::V6(_) => address.set_ip(std::net::Ipv6Addr::LOCALHOST.into()),
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    #[test]
    fn a_session_that_waits_is_woken_and_so_is_the_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        let (mut session, _) = listener.accept().unwrap();
        let stop = Stop::default();
        stop.add(1, &session);
        let waiting = std::thread::spawn(move || session.read(&mut [0]).unwrap());
        stop.set(address);
        assert_eq!(waiting.join().unwrap(), 0);
        listener.accept().unwrap();
        assert!(stop.is_set());
        drop(client);
    }

    #[test]
    fn a_listener_on_every_address_is_woken_on_loopback() {
        assert_eq!(reachable("0.0.0.0:5".parse().unwrap()), "127.0.0.1:5".parse().unwrap());
        assert_eq!(reachable("[::]:5".parse().unwrap()), "[::1]:5".parse().unwrap());
        assert_eq!(reachable("10.0.0.1:5".parse().unwrap()), "10.0.0.1:5".parse().unwrap());
    }
}
