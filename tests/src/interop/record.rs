//! Makes the recordings that `crates/handshake/tests/recorded.rs` plays again: TLS 1.2 with some peers, us in either
//! role, both sides showing certificates.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use oxtls::pki_types::CertificateDer;
use oxtls::pki_types::pem::PemObject;
use oxtls::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme, SigningKey};
use oxtls_crypto::random;

use super::check::same;
use super::driver::{Outside, Patience, Script, play};
use super::foreign::{Foreign, Place};
use super::peer::{Peer, Tool};
use super::spec::{CLIENT12, Role, SERVER12, SESSION12, Side, Spec};
use super::tables::{ECDSA_SUITES, RSA_SUITES};
use super::{Error, nss, ours, pki};

/// The peers, what their files are called, the suite and what our side shows.
const RECORDED: [(Peer, &str, CipherSuite, &str, SignatureScheme); 4] = [
    (Peer::OpenSsl35, "openssl", RSA_SUITES[0], "rsa", SignatureScheme::RSA_PSS_RSAE_SHA256),
    (Peer::GnuTls, "gnutls", RSA_SUITES[1], "rsa", SignatureScheme::RSA_PKCS1_SHA256),
    (Peer::Nss, "nss", ECDSA_SUITES[1], "p256", SignatureScheme::ECDSA_SECP256R1_SHA256),
    (Peer::Go, "go", ECDSA_SUITES[2], "p256", SignatureScheme::ECDSA_SECP256R1_SHA256),
];

const PATIENCE: Duration = Duration::from_secs(20);

/// Makes all of them anew.
pub(super) fn all() -> Result<(), Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/handshake/tests/recorded");
    for (peer, name, suite, identity, scheme) in RECORDED {
        let tool = Tool::find(peer)?;
        let scratch = tool.scratch()?;
        let certificates = scratch.path.join("certificates");
        pki::write(&certificates, &tool)?;
        if peer == Peer::Nss {
            nss::write_database(&certificates, &tool)?;
        }
        for role in Role::BOTH {
            let place = Place { tool: &tool, certificates: &certificates, scratch: &scratch.path };
            let script = script(role, suite, scheme, identity, &certificates)?;
            let text = record(script, role, identity, place)?.to_text(&tool.version);
            same("the recording, read again", &Script::parse(&text).to_text(&tool.version), &text)?;
            let file = folder.join(format!("{name}-{}.txt", role.name()));
            fs::write(&file, text)?;
            println!("recorded {}", file.display());
        }
    }
    Ok(())
}

/// All of it that is known beforehand.
fn script(
    role: Role,
    suite: CipherSuite,
    scheme: SignatureScheme,
    identity: &str,
    certificates: &Path,
) -> Result<Script, Error> {
    let leaf = CertificateDer::from_pem_file(certificates.join(format!("{identity}.pem")))?;
    Ok(Script {
        is_client: role == Role::Client,
        suite: suite.0,
        group: NamedGroup::X25519.0,
        server_name: SESSION12.asked.to_owned(),
        random: random::array()?,
        session_id: random::array::<32>()?.to_vec(),
        private_key: random::array::<32>()?.to_vec(),
        chain: vec![leaf.to_vec()],
        scheme: scheme.0,
        ..Script::default()
    })
}

/// Plays it with the peer and writes down what passes.
fn record(script: Script, role: Role, identity: &'static str, place: Place<'_>) -> Result<Script, Error> {
    let spec = Spec {
        client: Side { identity: Some(identity), ..CLIENT12 },
        server: Side { identity: Some(identity), trusts: Some("ca"), ..SERVER12 },
        payload: 0,
        ..SESSION12
    };
    fs::write(place.page(), [])?;
    let key = SigningKey::from_pem(fs::read(place.certificates.join(format!("{identity}.key")))?)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (mut peer, socket) = match role {
        Role::Client => {
            let at = ours::free_address()?;
            let peer = Foreign::server(&spec, at, place)?;
            (peer, ours::connect(at, Instant::now() + PATIENCE)?)
        }
        Role::Server => {
            let peer = Foreign::client(&spec, listener.local_addr()?, false, place)?;
            (peer, ours::accept(&listener, Instant::now() + PATIENCE)?)
        }
    };
    socket.set_read_timeout(Some(PATIENCE))?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let mut live = Live { script: script.clone(), socket, key };
    play(&script, now, Patience::Prompt, &mut live);
    let Live { script, socket, .. } = live;
    drop(socket);
    // A server's Finished comes last, and a client's word for it: not all servers say a word of what ends so.
    if role == Role::Server {
        peer.finish(|_| true, Instant::now() + PATIENCE)?;
        if peer.account().version != Some(ProtocolVersion::TLS1_2) {
            return Err(format!("the peer says nothing of the session: {}", peer.report()).into());
        }
    }
    Ok(script)
}

/// The peer itself.
struct Live {
    script: Script,
    socket: TcpStream,
    key: SigningKey,
}

/// Whoever makes recordings sees where it goes wrong.
impl Outside for Live {
    fn send(&mut self, record: Vec<u8>) {
        self.socket.write_all(&record).expect("the peer listens");
        self.script.wire.push((true, record));
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut record = vec![0; 5];
        self.socket.read_exact(&mut record).expect("the peer speaks");
        let len = usize::from(u16::from_be_bytes([record[3], record[4]]));
        record.resize(5 + len, 0);
        self.socket.read_exact(&mut record[5..]).expect("the peer speaks on");
        self.script.wire.push((false, record.clone()));
        record
    }

    fn sign(&mut self, scheme: SignatureScheme, message: &[u8]) -> Vec<u8> {
        self.script.signature = self.key.sign(scheme, message).expect("it signs");
        self.script.signature.clone()
    }
}
