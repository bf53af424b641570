//! Runs one scenario: plays it with both sides, then compares what they say.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use oxtls::{AlertDescription, EarlyDataStatus, ProtocolVersion};
use oxtls_crypto::hash::Hash;
use oxtls_std::Stream;

use super::Error;
use super::agreement::Views;
use super::capture::{Capture, Plaintext};
use super::early::Plays;
use super::foreign::{Account, Foreign, Place, Style};
use super::ours::{self, End};
use super::payload::{early_data, lines, noise, request};
use super::peer::Peer;
use super::replay::replay;
use super::spec::{Agreed, Early, Ending, Expect, Obstacle, PeerUpdate, Resumption, Role, Spec};
use super::tap::Tap;
use super::trace::Trace;

/// How long one scenario may take; sockets have their own, shorter limit.
const LIMIT: Duration = Duration::from_secs(90);

/// How long OpenSSL may take to read a command.
const COMMAND: Duration = Duration::from_millis(500);

/// The secrets of TLS 1.3 that both sides must derive alike (RFC 9850).
const SECRETS: [&str; 5] = [
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
];

/// The master secret of TLS 1.2, under its label.
const MASTER_SECRET: [&str; 1] = ["CLIENT_RANDOM"];

/// Runs `spec` with us in `role`. The error says what differed, and gives the peer's account.
pub(super) fn run(spec: &Spec, role: Role, place: Place<'_>) -> Result<(), Error> {
    fs::create_dir_all(place.scratch)?;
    let deadline = Instant::now() + LIMIT;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let server = if role == Role::Client { ours::free_address()? } else { listener.local_addr()? };
    let capture = match spec.captured {
        true => Some(Capture::start(server.port(), place.scratch, deadline)?),
        false => None,
    };
    fs::write(place.page(), noise(spec.payload, 2))?;
    fs::write(place.early(), early_data(spec))?;
    let stage = Stage { spec, role, place, server, deadline };
    let (peer, played) = match role {
        Role::Client => {
            let mut peer = Foreign::server(spec, server, place)?;
            let config = ours::client_config(spec, place.certificates)?;
            let session = RefCell::new(None::<Vec<u8>>);
            let open = |_| match session.borrow().as_ref() {
                Some(session) => ours::client_with_session(spec, &config, server, session),
                None => ours::client(spec, &config, server),
            };
            // Only where the scenario has them handed out; the first is used again and again.
            let keep = |stream: &mut Stream<oxtls::Client, Tap>| {
                let handed_out = stream.connection_mut().take_session();
                let bytes = handed_out.and_then(|session| session.to_bytes().ok());
                let mut session = session.borrow_mut();
                if session.is_none() {
                    *session = bytes.map(|bytes| bytes.to_vec());
                }
                Ok(())
            };
            let played = stage.play(&mut peer, open, keep, capture);
            (peer, played)
        }
        Role::Server => {
            let mut peer = Foreign::client(spec, server, false, place)?;
            let [first, later] = ours::server_configs(spec, place.certificates)?;
            let open = |earlier| ours::server(spec, if earlier == 0 { &first } else { &later }, &listener);
            let keep = |stream: &mut Stream<oxtls::Server, Tap>| match spec.early {
                Some(Early { obstacle: Some(Obstacle::Replayed), .. }) => replay(stream, &later),
                _ => Ok(()),
            };
            let played = stage.play(&mut peer, open, keep, capture);
            (peer, played)
        }
    };
    played.map_err(|error| format!("{error}\n  the peer was: {}", peer.report()).into())
}

/// What all connections of a scenario have in common.
#[derive(Clone, Copy)]
struct Stage<'a> {
    spec: &'a Spec,
    role: Role,
    place: Place<'a>,
    server: SocketAddr,
    deadline: Instant,
}

impl Stage<'_> {
    /// Plays it over one connection that `open` opens, or over two of which the second resumes the first's session.
    fn play<R: Plays>(
        self,
        peer: &mut Foreign,
        open: impl Fn(usize) -> Result<Stream<R, Tap>, Error>,
        keep: impl Fn(&mut Stream<R, Tap>) -> Result<(), Error>,
        capture: Option<Capture>,
    ) -> Result<(), Error> {
        let Self { spec, role, place, deadline, .. } = self;
        if spec.resumption.is_none() {
            return Scene { spec, role, place, stream: open(0)?, peer, earlier: 0, deadline }.play(capture);
        }
        for earlier in 0..spec.connections(role) {
            if earlier > 0 && place.tool.peer.is_openssl() && role == Role::Server {
                peer.finish(|_| true, deadline)?;
                *peer = Foreign::client(spec, self.server, true, place)?;
            }
            let mut scene = Scene { spec, role, place, stream: open(earlier)?, peer, earlier, deadline };
            scene.visit().map_err(|error| format!("connection {earlier}: {error}"))?;
            keep(&mut scene.stream)?;
        }
        peer.finish(|account| account.resumed == Some(true), deadline)?;
        let account = peer.account();
        if let Some(early) = spec.early {
            let taken = early.obstacle.is_none()
                || (role, early.obstacle) == (Role::Server, Some(Obstacle::Replayed));
            let silent = place.tool.peer == Peer::GnuTls;
            said("whether early data was taken, as the peer has it", &account.early, &taken, silent)?;
        }
        said("that the session was resumed, as the peer has it", &account.resumed, &true, false)
    }
}

/// Both sides, connected.
struct Scene<'a, R: Plays> {
    spec: &'a Spec,
    role: Role,
    place: Place<'a>,
    stream: Stream<R, Tap>,
    peer: &'a mut Foreign,
    /// Connections of this scenario before this one.
    earlier: usize,
    deadline: Instant,
}

impl<R: Plays> Scene<'_, R> {
    fn play(mut self, capture: Option<Capture>) -> Result<(), Error> {
        match self.spec.expect {
            Expect::Session(agreed) => self.session(&agreed, capture),
            Expect::Explained { alert, says } => self.refusal(End::AlertSent(alert), says),
            Expect::Refusal { by, alert } if by == self.role => self.refusal(End::AlertSent(alert.ours), ""),
            Expect::Refusal { alert, .. } => {
                self.refusal(End::AlertReceived(alert.of(self.place.tool.peer)), "")
            }
        }
    }

    fn session(&mut self, agreed: &Agreed, capture: Option<Capture>) -> Result<(), Error> {
        let (client, server) = self.addresses()?;
        self.stream.handshake()?;
        let end = if self.spec.ending == Ending::HalfClose {
            self.half_close()?
        } else {
            self.exchange()?;
            if let Some(update) = self.spec.peer_updates {
                self.peer_updates(update)?;
            }
            self.close()?
        };
        self.check_key_updates()?;
        let expected = match (self.spec.ending, self.role) {
            (Ending::PeerDies, _) => End::Truncated,
            (Ending::Renegotiation, Role::Server) => End::AlertSent(AlertDescription::NO_RENEGOTIATION.0),
            _ => End::Closed,
        };
        same("our connection's end", &end, &expected)?;
        ours::hang_up(&self.stream);
        self.peer.finish(|account| account.version.is_some(), self.deadline)?;
        let trace = self.trace()?;
        let account = self.peer.account();
        let key_log = self.stream.connection_mut().take_key_log();
        self.check_closing(&trace, &account)?;
        self.check_agreement(agreed, &trace, &account)?;
        self.check_secrets(&key_log, &trace)?;
        match capture {
            Some(mut capture) => {
                let read = capture.decrypt(&key_log, client, server)?;
                same_bytes("what we sent, as read by a third party", &self.our_data(), of(self.role, &read))?;
                let theirs = of(self.role.other(), &read);
                same_bytes("what the peer sent, as read by a third party", &self.data_of_peer(), theirs)
            }
            None => Ok(()),
        }
    }

    /// One of two connections: the first is a full handshake, the second resumes its session, on the wire as well.
    fn visit(&mut self) -> Result<(), Error> {
        match self.spec.early {
            Some(early) if self.earlier > 0 => self.early(early)?,
            _ => self.stream.handshake()?,
        }
        // GnuTLS's client comes, goes, and comes back to stay.
        let leaves = self.place.tool.peer == Peer::GnuTls && self.role == Role::Server && self.earlier == 0;
        let end = if leaves {
            let end = ours::end(&mut self.stream);
            self.stream.shutdown()?;
            end
        } else {
            self.exchange()?;
            self.close()?
        };
        same("our connection's end", &end, &End::Closed)?;
        ours::hang_up(&self.stream);
        let info =
            self.stream.connection().info().ok_or("our connection says nothing about its handshake")?;
        let trace = Trace::of_wire(&self.stream.transport().recording);
        let resumed = self.earlier > 0 && !self.is_used_up();
        same("retry, ours and that on the wire", &info.hello_retry_request(), &trace.retried())?;
        if let Expect::Session(agreed) = self.spec.expect {
            same(
                "retry, ours and the expected one",
                &info.hello_retry_request(),
                &agreed.retry.unwrap_or(trace.retried()),
            )?;
            same("suite, ours and the expected one", &info.suite(), &agreed.suite.unwrap_or(info.suite()))?;
        }
        same("whether the session was resumed, as we have it", &info.is_resumed(), &resumed)?;
        same("version, ours and that on the wire", &Some(info.version()), &trace.version())?;
        same("suite, ours and that on the wire", &Some(info.suite()), &trace.suite())?;
        if info.version() == ProtocolVersion::TLS1_2 {
            same("certificates on the wire", &trace.count("Certificate"), &usize::from(!resumed))?;
            // The second may bring another.
            let by_ticket = self.spec.resumption == Some(Resumption::Ticket);
            let ticket = trace.count("NewSessionTicket") > 0;
            if resumed { Ok(()) } else { same("whether a ticket is on the wire", &ticket, &by_ticket) }
        } else {
            same("whether the server chose a PSK", &trace.chose_psk(), &resumed)
        }
    }

    /// The session was resumed before and its server takes it once.
    fn is_used_up(&self) -> bool {
        let replayed = self.spec.early.is_some_and(|early| early.obstacle == Some(Obstacle::Replayed));
        self.role == Role::Client && replayed && self.earlier > 1
    }

    /// A handshake with early data: what became of it, in the eyes of both. What was refused goes again, or is lost when
    /// it is the peer's, which owns it.
    fn early(&mut self, early: Early) -> Result<(), Error> {
        let data = early_data(self.spec);
        let arrived = R::early(&mut self.stream, &data)?;
        self.stream.handshake()?;
        let status = self.stream.connection().early_data();
        let is_client = self.role == Role::Client;
        let refused = match early.obstacle {
            Some(Obstacle::Replayed) => self.is_used_up(),
            other => other.is_some(),
        };
        let bytes = u32::try_from(data.len())?;
        match (status, refused) {
            (EarlyDataStatus::Accepted { bytes: taken }, false) => {
                same("bytes of early data that were taken", &taken, &bytes)?;
            }
            (EarlyDataStatus::Rejected { bytes: lost, reason }, true) => {
                same("bytes of early data that are still ours", &lost, &if is_client { bytes } else { 0 })?;
                if let (false, Some(obstacle)) = (is_client, early.obstacle) {
                    same("why early data was refused", &reason, &obstacle.reason())?;
                }
            }
            _ => return Err(format!("early data came to {status:?}, refused: {refused}").into()),
        }
        if !is_client {
            return same_bytes("early data", if refused { &[] } else { &data }, &arrived);
        }
        if refused {
            let lost = self.stream.connection_mut().rejected_early_data();
            same("early data to be sent again", &lost, &(0..data.len()))?;
            ours::send(&mut self.stream, &data, false)?;
        }
        match self.peer.style {
            Style::Pipe => self.peer.process.output_with(&data, self.deadline),
            _ if refused => self.receive(&data),
            _ => Ok(()),
        }
    }

    /// The peer changes its keys, and we answer if it asks us to; data goes both ways after that.
    fn peer_updates(&mut self, update: PeerUpdate) -> Result<(), Error> {
        let command: &[u8] = match (self.place.tool.peer, update) {
            (Peer::GnuTls, PeerUpdate::Own) => b"^rekey1^\n",
            (Peer::GnuTls, PeerUpdate::AndAsks) => b"^rekey^\n",
            (_, PeerUpdate::Own) => b"k\n",
            (_, PeerUpdate::AndAsks) => b"K\n",
        };
        self.peer.process.send(command);
        // What follows at once is taken for more of the command.
        thread::sleep(COMMAND);
        self.peer.process.send(b"heard\n");
        self.receive(b"heard\n")?;
        // In one record: OpenSSL's server prints a line of its own, kept back since its KeyUpdate, behind the first that it
        // reads.
        let answer = b"answer\n";
        self.stream.write_all(answer)?;
        self.stream.flush()?;
        self.peer.process.output_with(answer, self.deadline)
    }

    /// Each side changed its keys as often as it should have, as is seen on the wire.
    fn check_key_updates(&self) -> Result<(), Error> {
        let expected = match (self.spec.update_keys, self.spec.peer_updates) {
            (true, _) if self.spec.payload <= 2000 => (1, 1),
            (_, Some(PeerUpdate::Own)) => (0, 1),
            (_, Some(PeerUpdate::AndAsks)) => (1, 1),
            _ => return Ok(()),
        };
        let recording = &self.stream.transport().recording;
        let updates = (recording.key_updates(true), recording.key_updates(false));
        same("KeyUpdates that we sent and received", &updates, &expected)
    }

    /// The peer's own view of what passed, or that of the wire.
    fn trace(&self) -> Result<Trace, Error> {
        let own = self.peer.trace()?;
        Ok(own.unwrap_or_else(|| Trace::of_wire(&self.stream.transport().recording)))
    }

    /// The client's and the server's.
    fn addresses(&self) -> Result<(SocketAddr, SocketAddr), Error> {
        let socket = &self.stream.transport().socket;
        let (ours, theirs) = (socket.local_addr()?, socket.peer_addr()?);
        Ok(if self.role == Role::Client { (ours, theirs) } else { (theirs, ours) })
    }

    fn our_data(&self) -> Vec<u8> {
        match (self.peer.style, self.spec.ending, self.role) {
            (Style::Mirror, ..) => request(self.spec.payload),
            (Style::Echo, ..) => lines(self.spec.payload),
            (Style::Pipe, Ending::HalfClose, Role::Client) => {
                format!("GET {} HTTP/1.0\r\n\r\n", self.place.page_name()).into()
            }
            // Unlike what an earlier connection sent.
            _ => noise(self.spec.payload, if self.earlier == 0 { 1 } else { 3 }),
        }
    }

    fn data_of_peer(&self) -> Vec<u8> {
        noise(self.spec.payload, 2)
    }

    /// Our data, then the peer's, which answers a KeyUpdate only when it next sends; each compared with what came out
    /// at the other side.
    fn exchange(&mut self) -> Result<(), Error> {
        let data = self.our_data();
        match self.peer.style {
            Style::Pipe => {
                self.we_send()?;
                self.peer_sends()
            }
            Style::Echo => {
                data.split_inclusive(|byte| *byte == b'\n').enumerate().try_for_each(|(number, line)| {
                    ours::send(&mut self.stream, line, self.spec.update_keys && number == 0)?;
                    self.receive(line)
                })
            }
            Style::Mirror => {
                ours::send(&mut self.stream, &data, self.spec.update_keys)?;
                let page = ours::receive_all(&mut self.stream)?;
                let shown = page.windows(data.len().max(1)).any(|part| part == data);
                if shown { Ok(()) } else { Err("the peer's page does not show what we sent".into()) }
            }
        }
    }

    fn we_send(&mut self) -> Result<(), Error> {
        let data = self.our_data();
        ours::send(&mut self.stream, &data, self.spec.update_keys)?;
        if self.place.tool.peer.is_openssl() && self.spec.is_talkative(self.role) {
            return self.peer.process.output_with(&data, self.deadline);
        }
        let before = self.earlier * data.len() * usize::from(self.place.tool.peer != Peer::GnuTls);
        let arrived = self.peer.process.output(before + data.len(), self.deadline)?;
        same_bytes("what we sent", &data, &arrived[before..])
    }

    fn peer_sends(&mut self) -> Result<(), Error> {
        let data = self.data_of_peer();
        if self.place.tool.peer != Peer::Nss {
            self.peer.process.send(&data);
        }
        self.receive(&data)
    }

    fn receive(&mut self, expected: &[u8]) -> Result<(), Error> {
        let arrived = ours::receive(&mut self.stream, expected.len())?;
        same_bytes("what the peer sent", expected, &arrived)
    }

    fn close(&mut self) -> Result<End, Error> {
        if self.spec.ending == Ending::PeerDies {
            self.peer.process.kill()?;
            return Ok(ours::end(&mut self.stream));
        }
        if self.spec.ending == Ending::Renegotiation {
            // OpenSSL takes it for a command; the others do it by themselves.
            self.peer.process.send(if self.role == Role::Server { b"R\n" } else { b"r\n" });
            if self.role == Role::Server {
                return Ok(ours::end(&mut self.stream));
            }
            // What follows at once it takes for more of the command. It comes behind the HelloRequest.
            thread::sleep(COMMAND);
            self.peer.process.send(b"heard\n");
            self.receive(b"heard\n")?;
        }
        if self.we_close_first() {
            self.stream.shutdown()?;
            return Ok(ours::end(&mut self.stream));
        }
        // Programs of ours know when to close, and what they send next time is still to come.
        if !matches!(self.place.tool.peer, Peer::Go | Peer::Jsse) {
            self.peer.process.end_input();
        }
        let end = ours::end(&mut self.stream);
        self.stream.shutdown()?;
        Ok(end)
    }

    fn we_close_first(&self) -> bool {
        let closes = match self.place.tool.peer {
            // Its server closes as it pleases, its client never.
            Peer::Nss => Ending::ServerCloses,
            _ => self.spec.ending,
        };
        (closes == Ending::ServerCloses) == (self.role == Role::Server)
    }

    /// The client's close_notify goes out before the server has sent a byte, and all that the server then sends
    /// arrives. OpenSSL's client itself does not read on: there a third party has to say that it was sent.
    fn half_close(&mut self) -> Result<End, Error> {
        let (ours, theirs) = (self.our_data(), self.data_of_peer());
        if self.role == Role::Client {
            self.stream.write_all(&ours)?;
            self.stream.shutdown()?;
            self.receive(&theirs)?;
            return Ok(ours::end(&mut self.stream));
        }
        self.peer_sends()?;
        self.peer.process.end_input();
        let end = ours::end(&mut self.stream);
        ours::send(&mut self.stream, &ours, false)?;
        self.stream.shutdown()?;
        Ok(end)
    }

    /// The peer's view of the closing: its own close_notify, and ours if it was still listening for it. That of others
    /// than OpenSSL has been seen by its end at our side.
    fn check_closing(&self, trace: &Trace, account: &Account) -> Result<(), Error> {
        let waits = self.we_close_first() && self.spec.ending != Ending::HalfClose;
        if self.spec.ending == Ending::Renegotiation {
            return self.check_renegotiation(trace, account);
        }
        if !self.place.tool.peer.is_openssl() {
            let says = matches!(self.place.tool.peer, Peer::Go | Peer::Jsse);
            return said("our close_notify, as the peer saw it", &account.closed, &true, !(waits && says));
        }
        if self.spec.ending == Ending::PeerDies {
            return same("alerts of a killed OpenSSL", &trace.alerts(true), &vec![]);
        }
        same("alerts that OpenSSL sent", &trace.alerts(true), &vec![0])?;
        if waits {
            same("alerts that OpenSSL received", &trace.alerts(false), &vec![0])?;
        }
        Ok(())
    }

    /// A client was told no, a server was not heard: no second hello either way.
    fn check_renegotiation(&self, trace: &Trace, account: &Account) -> Result<(), Error> {
        match (self.role, self.place.tool.peer.is_openssl()) {
            (Role::Client, _) => same("HelloRequests", &trace.count("HelloRequest"), &1),
            (Role::Server, true) => same("alerts that OpenSSL received", &trace.alerts(false), &vec![100]),
            (Role::Server, false) => {
                said("the alert that the peer received", &account.alert_received, &100, false)
            }
        }
    }

    /// What we say was negotiated is what was expected, and what the peer saw.
    fn check_agreement(&self, agreed: &Agreed, trace: &Trace, account: &Account) -> Result<(), Error> {
        let info =
            self.stream.connection().info().ok_or("our connection says nothing about its handshake")?;
        let Self { spec, role, place, .. } = *self;
        Views { spec, role, info, trace, account, place }.check(agreed)
    }

    fn check_secrets(&self, key_log: &str, trace: &Trace) -> Result<(), Error> {
        let secrets = match trace.version() {
            Some(ProtocolVersion::TLS1_2) => &MASTER_SECRET[..],
            _ => &SECRETS,
        };
        let wanted = |line: &&str| secrets.iter().any(|label| line.split(' ').next() == Some(label));
        let ours: BTreeSet<&str> = key_log.lines().filter(wanted).collect();
        same("number of secrets in our key log", &ours.len(), &secrets.len())?;
        let Some(theirs) = self.peer.key_log()? else { return Ok(()) };
        let theirs: BTreeSet<&str> = theirs.iter().map(String::as_str).filter(wanted).collect();
        // A line for exporters not all of them write.
        let ours: BTreeSet<&str> =
            ours.into_iter().filter(|line| theirs.contains(line) || !line.starts_with("EXPORTER")).collect();
        if ours == theirs { Ok(()) } else { Err("the secrets of the two key logs differ".into()) }
    }

    /// Refused: the same alert on both sides, none the other way.
    fn refusal(&mut self, expected: End, says: &str) -> Result<(), Error> {
        let (end, words) = ours::refused(&mut self.stream);
        same("our connection's end", &end, &expected)?;
        if !words.contains(says) {
            return Err(format!("our error does not say {says:?}, but {words:?}").into());
        }
        ours::hang_up(&self.stream);
        let (sent, received) = match expected {
            End::AlertSent(alert) => (vec![], vec![alert]),
            End::AlertReceived(alert) => (vec![alert], vec![]),
            _ => return Err("a refusal ends with an alert".into()),
        };
        let expected = received.first().copied();
        self.peer.finish(|account| account.failed, self.deadline)?;
        let trace = self.trace()?;
        same("alerts that the peer received", &trace.alerts(false), &received)?;
        if self.place.tool.peer.is_openssl() {
            return same("alerts that the peer sent", &trace.alerts(true), &sent);
        }
        // Some say more than one.
        same("first alert that the peer sent", &trace.alerts(true).first(), &sent.first())?;
        let Some(expected) = expected else { return Ok(()) };
        // Servers that serve on say that there was one, and not always which.
        let silent = self.peer.serves_on();
        said(
            "the alert that the peer says it received",
            &self.peer.account().alert_received,
            &expected,
            silent,
        )
    }
}

fn of(role: Role, read: &Plaintext) -> &[u8] {
    match role {
        Role::Client => &read.client,
        Role::Server => &read.server,
    }
}

/// What a peer says is what is expected; where it says nothing, that must be how it is.
pub(super) fn said<T: PartialEq + Debug>(
    what: &str,
    said: &Option<T>,
    expected: &T,
    may_be_silent: bool,
) -> Result<(), Error> {
    match said {
        Some(said) => same(what, said, expected),
        None if may_be_silent => Ok(()),
        None => Err(format!("{what}: the peer says nothing, instead of {expected:?}").into()),
    }
}

pub(super) fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}").into()) }
}

pub(super) fn same_bytes(what: &str, sent: &[u8], arrived: &[u8]) -> Result<(), Error> {
    same(&format!("length of {what}"), &arrived.len(), &sent.len())?;
    same(&format!("SHA-256 of {what}"), &Hash::Sha256.digest(arrived), &Hash::Sha256.digest(sent))
}
