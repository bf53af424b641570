//! A sealed ticket: version of the layout (1 byte), name of the key (16), salt (32), ciphertext, tag (16).

use std::time::Duration;

use oxtls_crypto::salted::{Salt, SaltedKey};
use oxtls_handshake::defaults::MAX_TICKET;
use oxtls_handshake::session::Session;
use oxtls_handshake::suite::ProtocolVersion;

use super::keys::{NAME_LEN, TicketKeys};
use super::policy_hash::{HALF, PolicyHash};

/// The layout's version.
const LAYOUT: u8 = 1;

/// Bytes in front of the salt, which the seal covers too.
const FRONT: usize = 1 + NAME_LEN;

/// The role, the first of what a key is derived for.
const ROLE: &[u8; 6] = b"server";

/// Bytes of what a key is derived for: role, version, context.
const PURPOSE: usize = ROLE.len() + 2 + HALF;

/// What a key is derived for: only this role, version and context make and open such a ticket.
fn purpose(version: ProtocolVersion, policy: &PolicyHash) -> [u8; PURPOSE] {
    let mut purpose = [0; PURPOSE];
    let version = version.0.to_be_bytes();
    let parts = ROLE.iter().chain(&version).chain(policy.context());
    purpose.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
    purpose
}

/// Seals a session into a ticket; `None` if that cannot be: no key at this time, a chain too long.
pub(crate) fn seal(
    keys: &TicketKeys,
    policy: &PolicyHash,
    session: &Session,
    salt: Salt,
    now: Duration,
) -> Option<Vec<u8>> {
    let ring = keys.ring(now);
    let key = ring.present.as_ref()?;
    let plaintext = session.to_bytes().ok()?;
    let length = plaintext.len().saturating_add(SaltedKey::OVERHEAD).saturating_add(FRONT);
    let mut ticket = Vec::with_capacity(length);
    ticket.push(LAYOUT);
    ticket.extend_from_slice(&key.name);
    let front: [u8; FRONT] = *ticket.first_chunk()?;
    key.key.seal_with(salt, &purpose(session.version, policy), &front, &plaintext, &mut ticket).ok()?;
    Some(ticket).filter(|ticket| ticket.len() <= MAX_TICKET)
}

/// What a ticket held.
pub(crate) struct OpenedTicket {
    pub(crate) session: Box<Session>,
    /// The key that it is sealed under is not the one that seals now.
    pub(crate) old_key: bool,
}

/// Opens a ticket of this version; `None` if it is none of ours.
pub(crate) fn open(
    keys: &TicketKeys,
    policy: &PolicyHash,
    version: ProtocolVersion,
    ticket: &[u8],
    now: Duration,
) -> Option<OpenedTicket> {
    let (front, sealed) = ticket.split_at_checked(FRONT)?;
    let (layout, name) = front.split_first()?;
    if *layout != LAYOUT {
        return None;
    }
    let ring = keys.ring(now);
    let (key, present) = ring.find(name.first_chunk()?)?;
    let read = |plaintext: &[u8]| Session::from_bytes(plaintext).map(Box::new);
    let session = key.key.open_for(&purpose(version, policy), front, sealed, read).ok()?.ok()?;
    (session.version == version).then_some(OpenedTicket { session, old_key: !present })
}

#[cfg(test)]
mod tests {
    use oxtls_handshake::config::ClientAuth;

    use super::*;

    #[test]
    fn a_key_is_derived_for_all_of_role_version_and_context() {
        let policy = PolicyHash::server(b"www", ClientAuth::None, None);
        let version = ProtocolVersion::TLS1_3;
        assert_eq!(policy.context().len(), HALF);
        let whole = [&b"server"[..], &version.0.to_be_bytes(), policy.context()].concat();
        assert_eq!(purpose(version, &policy)[..], whole);
    }
}
