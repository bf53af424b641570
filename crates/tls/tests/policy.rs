//! Resumption never widens trust: sessions under changed policies, in many random pairs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::sync::{Arc, LazyLock};
use std::thread;

use common::{NAME, handshake};
use oxtls::pki_types::ServerName;
use oxtls::x509::{CrlStore, Purpose, Revocation, Verifier};
use oxtls::{
    ClientAuth, ClientConfig, ClientConnection, ClientSession, Credential, KeyAlgorithm, Resumption, Roots,
    ServerConfig, ServerConnection, SessionCache, TicketKeys,
};
use oxtls_test_pki::{Ca, CrlSpec, LeafSpec, serial};

/// Trials of servers that change and of clients that change, half of them in each of two threads: 10,000 in all.
const SERVER_TRIALS: u64 = 7_000;
const CLIENT_TRIALS: u64 = 3_000;

/// Another name of the same server.
const OTHER_NAME: &str = "other.test";

struct World {
    cas: Vec<Ca>,
    server: Credential,
    /// One of each authority.
    clients: Vec<Credential>,
    /// One of each authority; the first's has its client on it.
    crls: Vec<Vec<u8>>,
}

/// The authority whose client is revoked where revocation is looked at.
const REVOKER: usize = 0;

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let cas: Vec<_> = (0..3).map(|n| Ca::new(&format!("Authority {n}"), KeyAlgorithm::EcdsaP256)).collect();
    let server = cas[0].issue(LeafSpec::server(NAME).dns(OTHER_NAME));
    let (mut clients, mut crls) = (Vec::new(), Vec::new());
    for (n, ca) in cas.iter().enumerate() {
        let issued = ca.issue(LeafSpec::client("client.test").dns("client.test"));
        let list = CrlSpec::new(1);
        crls.push(ca.crl(if n == REVOKER { list.revoke(serial(issued.certificate())) } else { list }));
        clients.push(Credential::new(issued.chain, issued.key).unwrap());
    }
    World { server: Credential::new(server.chain, server.key).unwrap(), clients, cas, crls }
});

/// Roots of the authorities whose bit is set.
fn roots(bits: usize) -> Arc<Roots> {
    let mut roots = Roots::empty();
    for (n, ca) in WORLD.cas.iter().enumerate() {
        if bits & (1 << n) != 0 {
            roots.add_der(ca.certificate()).unwrap();
        }
    }
    Arc::new(roots)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Auth {
    None,
    Optional(usize),
    Required(usize),
}

/// A server's policy and context, and its configuration.
struct Site {
    auth: Auth,
    /// Looks at the authorities' CRLs.
    crls: bool,
    context: &'static str,
    config: ServerConfig,
}

fn looks_at_crls(bits: usize) -> Verifier {
    let mut crls = CrlStore::empty();
    for crl in &WORLD.crls {
        crls.add_der(crl.clone()).unwrap();
    }
    Verifier::new(roots(bits), Purpose::ClientAuth).with_revocation(Revocation::hard_fail(crls))
}

fn sites() -> Vec<Site> {
    let keys = TicketKeys::rotating();
    let all = (1..8).flat_map(|bits| [Auth::Optional(bits), Auth::Required(bits)]);
    let all = all.flat_map(|auth| [(auth, false), (auth, true)]).chain([(Auth::None, false)]);
    let all = all.flat_map(|(auth, crls)| [(auth, crls, "a"), (auth, crls, "b")]);
    all.map(|(auth, crls, context)| {
        let client_auth = match auth {
            Auth::None => ClientAuth::None,
            Auth::Optional(bits) if crls => ClientAuth::OptionalBy(Box::new(looks_at_crls(bits))),
            Auth::Required(bits) if crls => ClientAuth::RequiredBy(Box::new(looks_at_crls(bits))),
            Auth::Optional(bits) => ClientAuth::Optional(roots(bits)),
            Auth::Required(bits) => ClientAuth::Required(roots(bits)),
        };
        // Each has made its own configuration, as processes would: what they share is the ticket keys.
        let resumption = Resumption::tickets(keys.clone()).context(context).tickets_per_connection(1);
        let config = ServerConfig::builder().credential(WORLD.server.clone()).client_auth(client_auth);
        Site { auth, crls, context, config: config.resumption(resumption).build().unwrap() }
    })
    .collect()
}

/// Whether a session made at `from`, by a client of this authority or without a certificate, is good at `to`.
fn holds(from: &Site, to: &Site, authority: Option<usize>) -> bool {
    if from.context != to.context {
        return false;
    }
    if from.auth == to.auth && from.crls == to.crls {
        return true;
    }
    let shown = if from.auth == Auth::None { None } else { authority };
    match (to.auth, shown) {
        (Auth::Required(_), None) => false,
        (_, None) => true,
        (Auth::None, Some(_)) => false,
        (Auth::Optional(bits) | Auth::Required(bits), Some(ca)) => {
            bits & (1 << ca) != 0 && !(to.crls && ca == REVOKER)
        }
    }
}

/// One handshake: `None` if it fails, else whether it is a resumption, and the session that it made.
fn shake(mut client: ClientConnection, server: &ServerConfig) -> Option<(bool, Option<ClientSession>)> {
    let mut server = ServerConnection::new(server);
    handshake(&mut client, &mut server).ok()?;
    common::deliver(&mut server, &mut client);
    let (ours, theirs) = (client.info()?.is_resumed(), server.info()?.is_resumed());
    assert_eq!(ours, theirs);
    Some((ours, client.take_session()))
}

fn name(name: &'static str) -> ServerName<'static> {
    ServerName::try_from(name).unwrap()
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

#[test]
fn sessions_resume_where_their_client_still_passes_and_nowhere_else() {
    let sites = sites();
    let client = |credential: Option<&Credential>| {
        let builder = ClientConfig::builder().roots(roots(1)).hand_out_sessions();
        match credential {
            Some(credential) => builder.credential(credential.clone()).build().unwrap(),
            None => builder.build().unwrap(),
        }
    };
    let mut clients: Vec<_> = WORLD.clients.iter().map(|credential| client(Some(credential))).collect();
    clients.push(client(None));
    let session = |who: usize, site: &Site| {
        let connection = ClientConnection::new(&clients[who], name(NAME)).unwrap();
        shake(connection, &site.config).map(|(_, session)| session.unwrap().to_bytes().unwrap())
    };
    let sessions: Vec<Vec<_>> =
        (0..clients.len()).map(|who| sites.iter().map(|site| session(who, site)).collect()).collect();

    let run = |seed| {
        let mut numbers = Numbers(seed);
        let (mut resumed, mut full) = (0_u64, 0_u64);
        while resumed + full < SERVER_TRIALS / 2 {
            let (who, from, to) =
                (numbers.below(clients.len()), numbers.below(sites.len()), numbers.below(sites.len()));
            let Some(bytes) = &sessions[who][from] else { continue };
            let authority = Some(who).filter(|&who| who < WORLD.cas.len());
            let (from, to) = (&sites[from], &sites[to]);
            let session = ClientSession::from_bytes(bytes).unwrap();
            let connection = ClientConnection::with_session(&clients[who], name(NAME), session).unwrap();
            let outcome = shake(connection, &to.config).is_some_and(|(resumed, _)| resumed);
            let what = || {
                let told = |site: &Site| format!("{:?} {} {}", site.auth, site.crls, site.context);
                format!("{authority:?} from {} to {}", told(from), told(to))
            };
            assert_eq!(outcome, holds(from, to, authority), "{}", what());
            *(if outcome { &mut resumed } else { &mut full }) += 1;
        }
        (resumed, full)
    };
    let (one, other) = thread::scope(|scope| {
        let handle = scope.spawn(|| run(1));
        (run(2), handle.join().unwrap())
    });
    println!("{} resumed, {} not", one.0 + other.0, one.1 + other.1);
    assert!((one.0 + other.0).min(one.1 + other.1) > SERVER_TRIALS / 10, "both happen often");
}

/// What a client's configuration may differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Persona {
    roots: usize,
    credential: Option<usize>,
    context: &'static str,
    name: &'static str,
}

impl Persona {
    fn pick(numbers: &mut Numbers) -> Self {
        Self {
            roots: 1 + numbers.below(7),
            credential: Some(numbers.below(4)).filter(|&n| n < 3),
            context: ["a", "b"][numbers.below(2)],
            name: [NAME, OTHER_NAME][numbers.below(2)],
        }
    }

    /// As it is, but for one thing perhaps.
    fn change(self, numbers: &mut Numbers) -> Self {
        let other = Self::pick(numbers);
        match numbers.below(6) {
            0 => Self { roots: other.roots, ..self },
            1 => Self { credential: other.credential, ..self },
            2 => Self { context: other.context, ..self },
            3 => Self { name: other.name, ..self },
            4 => other,
            _ => self,
        }
    }

    fn config(&self, cache: Option<&SessionCache>) -> ClientConfig {
        let mut builder = ClientConfig::builder().roots(roots(self.roots)).session_context(self.context);
        if let Some(n) = self.credential {
            builder = builder.credential(WORLD.clients[n].clone());
        }
        let builder = match cache {
            Some(cache) => builder.sessions(cache.clone()),
            None => builder.hand_out_sessions(),
        };
        builder.build().unwrap()
    }
}

#[test]
fn clients_offer_sessions_only_where_they_would_have_been_made() {
    let server = ServerConfig::builder()
        .credential(WORLD.server.clone())
        .client_auth(ClientAuth::Optional(roots(7)))
        .build()
        .unwrap();
    let run = |seed| {
        let mut numbers = Numbers(seed);
        let (mut resumed, mut full) = (0_u64, 0_u64);
        while resumed + full < CLIENT_TRIALS / 2 {
            let from =
                Persona { roots: 1 | Persona::pick(&mut numbers).roots, ..Persona::pick(&mut numbers) };
            let to = from.change(&mut numbers);
            // By a cache that both use, or by hand.
            let cache = Some(SessionCache::new(8)).filter(|_| numbers.below(2) == 0);
            let first = ClientConnection::new(&from.config(cache.as_ref()), name(from.name)).unwrap();
            let (_, session) = shake(first, &server).unwrap();
            let config = to.config(cache.as_ref());
            let second = match session {
                Some(session) => ClientConnection::with_session(&config, name(to.name), session).unwrap(),
                None => ClientConnection::new(&config, name(to.name)).unwrap(),
            };
            let outcome = shake(second, &server).is_some_and(|(resumed, _)| resumed);
            // A cache knows nothing of what differs at all; by hand the chain is judged under the new roots.
            let trusted = if cache.is_some() { to.roots == from.roots } else { to.roots & 1 != 0 };
            let expected = Persona { roots: from.roots, ..to } == from && trusted;
            assert_eq!(outcome, expected, "{from:?} to {to:?}, cache: {}", cache.is_some());
            *(if outcome { &mut resumed } else { &mut full }) += 1;
        }
        (resumed, full)
    };
    let (one, other) = thread::scope(|scope| {
        let handle = scope.spawn(|| run(1));
        (run(2), handle.join().unwrap())
    });
    println!("{} resumed, {} not", one.0 + other.0, one.1 + other.1);
    assert!((one.0 + other.0).min(one.1 + other.1) > CLIENT_TRIALS / 10, "both happen often");
}
