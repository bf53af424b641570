//! Runs one scenario and compares what both sides say.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use oxtls_crypto::hash::Hash;
use oxtls_std::Stream;

use super::Error;
use super::openssl::OpenSsl;
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

/// Runs `spec` with us in `role`, in the folder `scratch` of its own. The error says what differed, and gives
/// OpenSSL's account.
pub(super) fn run(spec: &Spec, role: Role, certificates: &Path, scratch: &Path) -> Result<(), Error> {
    fs::create_dir_all(scratch)?;
    let deadline = Instant::now() + LIMIT;
    match role {
        Role::Client => {
            let address = ours::free_address()?;
            let mut peer = OpenSsl::server(spec, address, certificates, scratch)?;
            let run = ours::client(spec, address, certificates, deadline)
                .and_then(|stream| Scene { spec, role, stream, peer: &mut peer, deadline }.play());
            run.map_err(|error| with_account(&error, &peer))
        }
        Role::Server => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let mut peer = OpenSsl::client(spec, listener.local_addr()?, certificates, scratch)?;
            let run = ours::server(spec, &listener, certificates, deadline)
                .and_then(|stream| Scene { spec, role, stream, peer: &mut peer, deadline }.play());
            run.map_err(|error| with_account(&error, &peer))
        }
    }
}

fn with_account(error: &Error, peer: &OpenSsl) -> Error {
    format!("{error}\n  OpenSSL was: {}", peer.account()).into()
}

/// Both sides, connected.
struct Scene<'a, R: oxtls::Role> {
    spec: &'a Spec,
    role: Role,
    stream: Stream<R, TcpStream>,
    peer: &'a mut OpenSsl,
    deadline: Instant,
}

impl<R: oxtls::Role> Scene<'_, R> {
    fn play(mut self) -> Result<(), Error> {
        match self.spec.expect {
            Expect::Session(agreed) => self.session(&agreed),
            Expect::Refusal { by, alert } if by == self.role => self.refusal(End::AlertSent(alert.ours)),
            Expect::Refusal { alert, .. } => self.refusal(End::AlertReceived(alert.openssl)),
        }
    }

    fn session(&mut self, agreed: &Agreed) -> Result<(), Error> {
        self.stream.handshake()?;
        self.exchange()?;
        let end = self.close()?;
        let expected = if self.spec.ending == Ending::PeerDies { End::Truncated } else { End::Closed };
        same("our connection's end", &end, &expected)?;
        ours::hang_up(&self.stream);
        let trace = self.peer.finish(self.deadline)?;
        self.check_closing(&trace)?;
        self.check_agreement(agreed, &trace)?;
        self.check_secrets()
    }

    /// Our data, then OpenSSL's, which answers a KeyUpdate only when it next sends; each compared with what came out
    /// at the other side.
    fn exchange(&mut self) -> Result<(), Error> {
        self.we_send()?;
        self.openssl_sends()
    }

    fn we_send(&mut self) -> Result<(), Error> {
        let data = noise(self.spec.payload, 1);
        ours::send(&mut self.stream, &data, self.spec.update_keys)?;
        let arrived = self.peer.process.output(data.len(), self.deadline)?;
        same_bytes("what we sent", &data, &arrived)
    }

    fn openssl_sends(&mut self) -> Result<(), Error> {
        let data = noise(self.spec.payload, 2);
        self.peer.process.send(&data);
        let arrived = ours::receive(&mut self.stream, data.len())?;
        same_bytes("what OpenSSL sent", &data, &arrived)
    }

    fn close(&mut self) -> Result<End, Error> {
        let we_are_first = matches!(
            (self.spec.ending, self.role),
            (Ending::ClientCloses, Role::Client) | (Ending::ServerCloses, Role::Server)
        );
        if self.spec.ending == Ending::PeerDies {
            self.peer.process.kill()?;
            return Ok(ours::end(&mut self.stream));
        }
        if we_are_first {
            self.stream.shutdown()?;
            return Ok(ours::end(&mut self.stream));
        }
        self.peer.process.end_input();
        let end = ours::end(&mut self.stream);
        self.stream.shutdown()?;
        Ok(end)
    }

    /// OpenSSL's view of the closing: its own close_notify, and ours if it was still listening for it.
    fn check_closing(&self, trace: &Trace) -> Result<(), Error> {
        if self.spec.ending == Ending::PeerDies {
            return same("alerts of a killed OpenSSL", &trace.alerts(true), &vec![]);
        }
        same("alerts that OpenSSL sent", &trace.alerts(true), &vec![0])?;
        let we_are_first = (self.spec.ending == Ending::ClientCloses) == (self.role == Role::Client);
        if we_are_first {
            same("alerts that OpenSSL received", &trace.alerts(false), &vec![0])?;
        }
        Ok(())
    }

    /// What we say was negotiated is what was expected, and what OpenSSL saw.
    fn check_agreement(&mut self, agreed: &Agreed, trace: &Trace) -> Result<(), Error> {
        let info =
            self.stream.connection().info().ok_or("our connection says nothing about its handshake")?;
        same("suite, ours and OpenSSL's", &Some(info.suite()), &trace.suite())?;
        same("group, ours and OpenSSL's", &info.group(), &trace.group())?;
        same("protocol, ours and OpenSSL's", &info.alpn(), &trace.alpn().as_deref())?;
        same("retry, ours and OpenSSL's", &info.hello_retry_request(), &trace.retried())?;
        same("ClientHellos", &trace.count("ClientHello"), &if trace.retried() { 2 } else { 1 })?;
        same("peer's scheme, ours and OpenSSL's", &info.peer_signature_scheme(), &trace.scheme(true))?;
        same("our scheme, ours and OpenSSL's", &info.signature_scheme(), &trace.scheme(false))?;
        if let Some(suite) = agreed.suite {
            same("suite", &info.suite(), &suite)?;
        }
        if let Some(group) = agreed.group {
            same("group", &info.group(), &Some(group))?;
        }
        if let Some(alpn) = agreed.alpn {
            same("protocol", &info.alpn(), &alpn.map(str::as_bytes))?;
        }
        if let Some(retry) = agreed.retry {
            same("retry", &info.hello_retry_request(), &retry)?;
        }
        if agreed.scheme.is_some() {
            same("server's scheme", &trace.scheme(self.role == Role::Client), &agreed.scheme)?;
        }
        if self.spec.update_keys && (trace.count("KeyUpdate") < 2) {
            return Err("OpenSSL did not answer our KeyUpdate with its own".into());
        }
        let words = self.peer.process.words();
        let shown = info.peer_identity().map(|identity| identity.subject().to_owned());
        self.check_identities(agreed, shown.as_deref(), info.server_name(), &words)
    }

    fn check_identities(
        &self,
        agreed: &Agreed,
        shown_to_us: Option<&str>,
        asked_of_us: Option<&str>,
        words: &str,
    ) -> Result<(), Error> {
        let server = agreed.server.or(self.spec.server.identity).unwrap_or_default();
        match self.role {
            Role::Client => {
                carries("the server that we saw", shown_to_us.unwrap_or_default(), server)?;
                match agreed.client {
                    Some(Some(client)) => says(words, &format!("Peer certificate: CN = {client}\n")),
                    Some(None) => says(words, "No peer certificate\n"),
                    None => Ok(()),
                }
            }
            Role::Server => {
                same("name that the client asked for", &asked_of_us, &Some(self.spec.asked))?;
                says(words, &format!("Peer certificate: CN = {server}\n"))?;
                says(words, "Verification: OK\n")?;
                says(words, &format!("Verified peername: {}\n", self.spec.asked))?;
                match agreed.client {
                    Some(Some(client)) => {
                        carries("the client that we saw", shown_to_us.unwrap_or_default(), client)
                    }
                    Some(None) => same("the client that we saw", &shown_to_us, &None),
                    None => Ok(()),
                }
            }
        }
    }

    fn check_secrets(&mut self) -> Result<(), Error> {
        let ours = self.stream.connection_mut().take_key_log();
        let wanted = |line: &&str| SECRETS.iter().any(|label| line.split(' ').next() == Some(label));
        let ours: BTreeSet<&str> = ours.lines().filter(wanted).collect();
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

fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}").into()) }
}

fn carries(what: &str, found: &str, expected: &str) -> Result<(), Error> {
    let name = format!("CN={expected}");
    if found == name { Ok(()) } else { Err(format!("{what}: {found:?} instead of {name:?}").into()) }
}

fn says(words: &str, expected: &str) -> Result<(), Error> {
    if words.contains(expected) { Ok(()) } else { Err(format!("OpenSSL did not say {expected:?}").into()) }
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
