//! The configurations of both ends for one row, and handshakes between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use oxtls::pki_types::ServerName;
use oxtls::{
    ClientAuth, ClientConfig, ClientConnection, Connection, Credential, EarlyDataStatus, NamedGroup,
    ProtocolVersion, ReplayGuard, Resumption, Role, Roots, ServerConfig, ServerConnection,
};
use oxtls_test_pki::{Ca, Issued};

use crate::Case;
use crate::limit::{EARLY, Kind};

pub(crate) const NAME: &str = "server.test";

/// Both ends.
pub(crate) struct Pair {
    client: ClientConfig,
    server: ServerConfig,
    kind: Kind,
}

impl Pair {
    /// Ends that do what `case` says, warmed up.
    pub(crate) fn new(case: Case, root: &Ca, server: Issued, client: Issued) -> Self {
        let mut roots = Roots::empty();
        roots.add_der(root.certificate()).unwrap();
        let roots = Arc::new(roots);
        let credential = |issued: Issued| Credential::new(issued.chain, issued.key).unwrap();
        let version = if case.tls12 { ProtocolVersion::TLS1_2 } else { ProtocolVersion::TLS1_3 };
        // In TLS 1.2 the curve of a certificate is one of the groups too (RFC 8422 section 5.1.1).
        let groups = match case.tls12 {
            true => vec![case.group, NamedGroup::SECP256R1],
            false => vec![case.group],
        };
        let mut theirs = ClientConfig::builder().roots(Arc::clone(&roots)).groups(&groups);
        let mut ours = ServerConfig::builder().credential(credential(server)).groups(&groups);
        if case.kind == Kind::Mutual {
            theirs = theirs.credential(credential(client));
            ours = ours.client_auth(ClientAuth::Required(roots));
        }
        let tickets = || Resumption::default().tickets_per_connection(1).tls12_tickets(case.tls12);
        match case.kind {
            Kind::Full | Kind::Mutual => {
                (theirs, ours) = (theirs.no_sessions(), ours.no_resumption());
            }
            Kind::Resumed => {
                (theirs, ours) = (theirs.tls12_tickets(case.tls12), ours.resumption(tickets()));
            }
            Kind::Early => {
                let guard = ReplayGuard::new(100_000).unwrap();
                let early = u32::try_from(EARLY).unwrap();
                (theirs, ours) =
                    (theirs.early_data(true), ours.resumption(tickets().early_data(guard, early)));
            }
        }
        let client = theirs.remember_signatures(case.again).versions(version, version).build().unwrap();
        let ours = ours.remember_signatures(case.again).versions(version, version).build().unwrap();
        let pair = Self { client, server: ours, kind: case.kind };
        // The first has nothing to resume and nothing to remember; the second is what all others are.
        pair.connect();
        let (client, server, ..) = pair.connect();
        let resumes = matches!(case.kind, Kind::Resumed | Kind::Early);
        assert_eq!(client.info().unwrap().is_resumed(), resumes, "{}", case.name);
        if case.kind == Kind::Early {
            let accepted = EarlyDataStatus::Accepted { bytes: u32::try_from(EARLY).unwrap() };
            assert_eq!((client.early_data(), server.early_data()), (accepted, accepted));
        }
        pair
    }

    /// One handshake; how long each side took, the client first.
    pub(crate) fn handshake(&self) -> (Duration, Duration) {
        let (client, server, mut of_client, mut of_server) = self.connect();
        timed(&mut of_client, || drop(client));
        timed(&mut of_server, || drop(server));
        (of_client, of_server)
    }

    fn connect(&self) -> (ClientConnection, ServerConnection, Duration, Duration) {
        let (mut of_client, mut of_server) = (Duration::ZERO, Duration::ZERO);
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = timed(&mut of_client, || ClientConnection::new(&self.client, name).unwrap());
        let mut server = timed(&mut of_server, || ServerConnection::new(&self.server));
        let mut wire = vec![0; 32 * 1024];
        if self.kind == Kind::Early && client.early_data_left() > 0 {
            let sealed = timed(&mut of_client, || client.seal_early(&[7; EARLY], &mut wire).unwrap());
            assert_eq!(sealed.taken, EARLY);
            receive(&mut server, &mut of_server, &mut wire[..sealed.written]);
        }
        while client.is_handshaking() || server.is_handshaking() {
            carry(&mut client, &mut of_client, &mut server, &mut of_server, &mut wire);
            carry(&mut server, &mut of_server, &mut client, &mut of_client, &mut wire);
        }
        // The ticket, if there is one.
        carry(&mut server, &mut of_server, &mut client, &mut of_client, &mut wire);
        (client, server, of_client, of_server)
    }
}

fn carry<A: Role, B: Role>(
    from: &mut Connection<A>,
    sending: &mut Duration,
    to: &mut Connection<B>,
    receiving: &mut Duration,
    wire: &mut [u8],
) {
    let len = timed(sending, || from.transmit(wire));
    receive(to, receiving, &mut wire[..len]);
}

fn receive<R: Role>(to: &mut Connection<R>, receiving: &mut Duration, wire: &mut [u8]) {
    timed(receiving, || {
        let mut at = 0;
        while at < wire.len() {
            at += to.feed(&mut wire[at..]).unwrap().consumed;
        }
    });
}

pub(crate) fn timed<T>(total: &mut Duration, act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = act();
    *total += start.elapsed();
    result
}
