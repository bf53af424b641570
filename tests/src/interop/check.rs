//! Runs one scenario: plays it with both sides, then compares what they say.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use oxtls_crypto::hash::Hash;
use oxtls_std::Stream;

use super::Error;
use super::agreement::Views;
use super::capture::{Capture, Plaintext};
use super::openssl::{OpenSsl, Place};
use super::ours::{self, End};
use super::spec::{Agreed, Ending, Expect, Role, Spec};
use super::trace::Trace;

/// How long one scenario may take; sockets have their own, shorter limit.
const LIMIT: Duration = Duration::from_secs(90);

/// The secrets that both sides must derive alike (RFC 9850).
const SECRETS: [&str; 5] = [
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
];

/// Runs `spec` with us in `role`. The error says what differed, and gives OpenSSL's account.
pub(super) fn run(spec: &Spec, role: Role, place: Place<'_>) -> Result<(), Error> {
    fs::create_dir_all(place.scratch)?;
    let deadline = Instant::now() + LIMIT;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let server = if role == Role::Client { ours::free_address()? } else { listener.local_addr()? };
    let capture = match spec.captured {
        true => Some(Capture::start(server.port(), place.scratch, deadline)?),
        false => None,
    };
    if spec.ending == Ending::HalfClose {
        fs::write(place.page(), noise(spec.payload, 2))?;
    }
    let (peer, played) = match role {
        Role::Client => {
            let mut peer = OpenSsl::server(spec, server, place)?;
            let played = ours::client(spec, server, place.certificates).and_then(|stream| {
                Scene { spec, role, place, stream, peer: &mut peer, deadline }.play(capture)
            });
            (peer, played)
        }
        Role::Server => {
            let mut peer = OpenSsl::client(spec, server, place)?;
            let played = ours::server(spec, &listener, place.certificates).and_then(|stream| {
                Scene { spec, role, place, stream, peer: &mut peer, deadline }.play(capture)
            });
            (peer, played)
        }
    };
    played.map_err(|error| format!("{error}\n  OpenSSL was: {}", peer.account()).into())
}

/// Both sides, connected.
struct Scene<'a, R: oxtls::Role> {
    spec: &'a Spec,
    role: Role,
    place: Place<'a>,
    stream: Stream<R, TcpStream>,
    peer: &'a mut OpenSsl,
    deadline: Instant,
}

impl<R: oxtls::Role> Scene<'_, R> {
    fn play(mut self, capture: Option<Capture>) -> Result<(), Error> {
        match self.spec.expect {
            Expect::Session(agreed) => self.session(&agreed, capture),
            Expect::Refusal { by, alert } if by == self.role => self.refusal(End::AlertSent(alert.ours)),
            Expect::Refusal { alert, .. } => self.refusal(End::AlertReceived(alert.openssl)),
        }
    }

    fn session(&mut self, agreed: &Agreed, capture: Option<Capture>) -> Result<(), Error> {
        let (client, server) = self.addresses()?;
        self.stream.handshake()?;
        let end = if self.spec.ending == Ending::HalfClose {
            self.half_close()?
        } else {
            self.exchange()?;
            self.close()?
        };
        let expected = if self.spec.ending == Ending::PeerDies { End::Truncated } else { End::Closed };
        same("our connection's end", &end, &expected)?;
        ours::hang_up(&self.stream);
        let trace = self.peer.finish(self.deadline)?;
        let key_log = self.stream.connection_mut().take_key_log();
        self.check_closing(&trace)?;
        self.check_agreement(agreed, &trace)?;
        self.check_secrets(&key_log)?;
        match capture {
            Some(mut capture) => {
                let read = capture.decrypt(&key_log, client, server)?;
                same_bytes("what we sent, as read by a third party", &self.our_data(), of(self.role, &read))?;
                let theirs = of(self.role.other(), &read);
                same_bytes("what OpenSSL sent, as read by a third party", &self.data_of_openssl(), theirs)
            }
            None => Ok(()),
        }
    }

    /// The client's and the server's.
    fn addresses(&self) -> Result<(SocketAddr, SocketAddr), Error> {
        let (ours, theirs) = (self.stream.transport().local_addr()?, self.stream.transport().peer_addr()?);
        Ok(if self.role == Role::Client { (ours, theirs) } else { (theirs, ours) })
    }

    fn our_data(&self) -> Vec<u8> {
        match (self.spec.ending, self.role) {
            (Ending::HalfClose, Role::Client) => {
                format!("GET {} HTTP/1.0\r\n\r\n", self.place.page_name()).into()
            }
            _ => noise(self.spec.payload, 1),
        }
    }

    fn data_of_openssl(&self) -> Vec<u8> {
        noise(self.spec.payload, 2)
    }

    /// Our data, then OpenSSL's, which answers a KeyUpdate only when it next sends; each compared with what came out
    /// at the other side.
    fn exchange(&mut self) -> Result<(), Error> {
        self.we_send()?;
        self.openssl_sends()
    }

    fn we_send(&mut self) -> Result<(), Error> {
        let data = self.our_data();
        ours::send(&mut self.stream, &data, self.spec.update_keys)?;
        if self.spec.is_talkative(self.role) {
            return self.peer.process.output_with(&data, self.deadline);
        }
        let arrived = self.peer.process.output(data.len(), self.deadline)?;
        same_bytes("what we sent", &data, &arrived)
    }

    fn openssl_sends(&mut self) -> Result<(), Error> {
        let data = self.data_of_openssl();
        self.peer.process.send(&data);
        self.receive(&data)
    }

    fn receive(&mut self, expected: &[u8]) -> Result<(), Error> {
        let arrived = ours::receive(&mut self.stream, expected.len())?;
        same_bytes("what OpenSSL sent", expected, &arrived)
    }

    fn close(&mut self) -> Result<End, Error> {
        if self.spec.ending == Ending::PeerDies {
            self.peer.process.kill()?;
            return Ok(ours::end(&mut self.stream));
        }
        if self.we_close_first() {
            self.stream.shutdown()?;
            return Ok(ours::end(&mut self.stream));
        }
        self.peer.process.end_input();
        let end = ours::end(&mut self.stream);
        self.stream.shutdown()?;
        Ok(end)
    }

    fn we_close_first(&self) -> bool {
        (self.spec.ending == Ending::ServerCloses) == (self.role == Role::Server)
    }

    /// The client's close_notify goes out before the server has sent a byte, and all that the server then sends
    /// arrives. OpenSSL's client itself does not read on: there a third party has to say that it was sent.
    fn half_close(&mut self) -> Result<End, Error> {
        let (ours, theirs) = (self.our_data(), self.data_of_openssl());
        if self.role == Role::Client {
            self.stream.write_all(&ours)?;
            self.stream.shutdown()?;
            self.receive(&theirs)?;
            return Ok(ours::end(&mut self.stream));
        }
        self.openssl_sends()?;
        self.peer.process.end_input();
        let end = ours::end(&mut self.stream);
        ours::send(&mut self.stream, &ours, false)?;
        self.stream.shutdown()?;
        Ok(end)
    }

    /// OpenSSL's view of the closing: its own close_notify, and ours if it was still listening for it.
    fn check_closing(&self, trace: &Trace) -> Result<(), Error> {
        if self.spec.ending == Ending::PeerDies {
            return same("alerts of a killed OpenSSL", &trace.alerts(true), &vec![]);
        }
        same("alerts that OpenSSL sent", &trace.alerts(true), &vec![0])?;
        if self.we_close_first() && self.spec.ending != Ending::HalfClose {
            same("alerts that OpenSSL received", &trace.alerts(false), &vec![0])?;
        }
        Ok(())
    }

    /// What we say was negotiated is what was expected, and what OpenSSL saw.
    fn check_agreement(&mut self, agreed: &Agreed, trace: &Trace) -> Result<(), Error> {
        let info =
            self.stream.connection().info().ok_or("our connection says nothing about its handshake")?;
        let words = self.peer.process.words();
        let printed =
            if self.spec.is_talkative(self.role) { self.peer.process.printed() } else { String::new() };
        let Self { spec, role, .. } = *self;
        let certificates = self.place.certificates;
        Views { spec, role, info, trace, words: &words, printed: &printed, certificates }.check(agreed)
    }

    fn check_secrets(&self, key_log: &str) -> Result<(), Error> {
        let wanted = |line: &&str| SECRETS.iter().any(|label| line.split(' ').next() == Some(label));
        let ours: BTreeSet<&str> = key_log.lines().filter(wanted).collect();
        let theirs = self.peer.key_log()?;
        let theirs: BTreeSet<&str> = theirs.iter().map(String::as_str).filter(wanted).collect();
        same("number of secrets in our key log", &ours.len(), &SECRETS.len())?;
        if ours == theirs { Ok(()) } else { Err("the secrets of the two key logs differ".into()) }
    }

    /// Refused: the same alert on both sides, none the other way.
    fn refusal(&mut self, expected: End) -> Result<(), Error> {
        let end = ours::end(&mut self.stream);
        same("our connection's end", &end, &expected)?;
        ours::hang_up(&self.stream);
        let trace = self.peer.finish(self.deadline)?;
        let (sent, received) = match expected {
            End::AlertSent(alert) => (vec![], vec![alert]),
            End::AlertReceived(alert) => (vec![alert], vec![]),
            _ => return Err("a refusal ends with an alert".into()),
        };
        same("alerts that OpenSSL sent", &trace.alerts(true), &sent)?;
        same("alerts that OpenSSL received", &trace.alerts(false), &received)
    }
}

fn of(role: Role, read: &Plaintext) -> &[u8] {
    match role {
        Role::Client => &read.client,
        Role::Server => &read.server,
    }
}

pub(super) fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}").into()) }
}

fn same_bytes(what: &str, sent: &[u8], arrived: &[u8]) -> Result<(), Error> {
    same(&format!("length of {what}"), &arrived.len(), &sent.len())?;
    same(&format!("SHA-256 of {what}"), &Hash::Sha256.digest(arrived), &Hash::Sha256.digest(sent))
}

/// Bytes that no record boundary, repetition or loss leaves unchanged (xorshift64, from a fixed seed).
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ seed;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}
