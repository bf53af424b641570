//! What a session is bound to: the policy that its peer was accepted under, and the caller's context.

use oxtls_crypto::hash::Hash;
use oxtls_crypto::signature::SignatureScheme;
use oxtls_handshake::config::ClientAuth;
use oxtls_x509::Verifier;
use pki_types::ServerName;

use crate::config::Credential;
use crate::policy::ProtocolPolicy;

/// Bytes of each half.
pub(super) const HALF: usize = 16;

/// Two hashes of 128 bits, as [`Session::policy`](oxtls_handshake::session::Session::policy) has them.
///
/// The first half says where the session belongs: role, context id, what peers may sign by, at a client its credentials.
/// A session of another is nobody's here. The second half says under which policy its peer was accepted. Under another
/// the peer is judged again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PolicyHash([u8; 2 * HALF]);

impl PolicyHash {
    /// A server's. `verifier` is `None` if its caller verifies clients, or nobody asks them for a certificate.
    pub(crate) fn server(context: &[u8], client_auth: ClientAuth, verifier: Option<&Verifier>) -> Self {
        let auth: &[u8] = match client_auth {
            ClientAuth::None => b"none",
            ClientAuth::Optional => b"optional",
            ClientAuth::Required => b"required",
        };
        Self::join(half([b"oxtls server", context]), half([b"client", auth, &judge(verifier)]))
    }

    /// What a client's configuration has the same for all names.
    pub(crate) fn client(context: &[u8], credentials: &[Credential], verifier: Option<&Verifier>) -> Self {
        let leaves = credentials.iter().filter_map(|credential| credential.chain().first());
        let credentials = leaves.fold(half([]), |before, leaf| half([&before, leaf]));
        Self::join(half([b"oxtls client", context, &credentials]), half([b"server", &judge(verifier)]))
    }

    /// The same where peers must sign by one of these schemes: whoever has signed by another elsewhere, and resumes, signs
    /// nothing here.
    pub(crate) fn signed_by(self, schemes: &[SignatureScheme]) -> Self {
        let mut schemes = schemes.to_vec();
        schemes.sort_unstable();
        schemes.dedup();
        let schemes: Vec<u8> = schemes.into_iter().flat_map(|scheme| scheme.0.to_be_bytes()).collect();
        self.belonging(half([b"oxtls schemes", self.context(), &schemes]))
    }

    /// The same under a policy of protocols, where there is one: sessions belong to where they were made, and one made
    /// with less than the policy asks for is nobody's under it.
    pub(crate) fn within(self, policy: Option<&ProtocolPolicy>) -> Self {
        let Some(policy) = policy else { return self };
        self.belonging(half([b"oxtls policy", self.context(), &policy.fingerprint()]))
    }

    /// The same, belonging elsewhere.
    fn belonging(self, context: [u8; HALF]) -> Self {
        let mut this = self;
        this.0.iter_mut().zip(context).for_each(|(to, from)| *to = from);
        this
    }

    /// A client's for a server of this name.
    pub(crate) fn of_name(&self, name: &ServerName<'_>) -> Self {
        self.of_host(&host(name))
    }

    /// The same, of a name as [`host`] writes it.
    pub(crate) fn of_host(&self, host: &str) -> Self {
        let mut this = *self;
        let (_, policy) = this.0.split_at_mut(HALF);
        let named = half([policy, host.as_bytes()]);
        policy.copy_from_slice(&named);
        this
    }

    fn join(context: [u8; HALF], policy: [u8; HALF]) -> Self {
        let mut this = Self([0; 2 * HALF]);
        let (front, back) = this.0.split_at_mut(HALF);
        front.copy_from_slice(&context);
        back.copy_from_slice(&policy);
        this
    }

    /// As a session has it.
    pub(crate) fn as_bytes(&self) -> &[u8; 2 * HALF] {
        &self.0
    }

    /// Where the session belongs.
    pub(crate) fn context(&self) -> &[u8] {
        self.0.split_at(HALF).0
    }

    /// Whether a session of this hash belongs here.
    pub(crate) fn has_context_of(&self, session: &[u8; 2 * HALF]) -> bool {
        self.context() == session.split_at(HALF).0
    }

    /// Whether a session's peer was accepted under this very policy.
    pub(crate) fn has_policy_of(&self, session: &[u8; 2 * HALF]) -> bool {
        self.0.split_at(HALF).1 == session.split_at(HALF).1
    }
}

/// A name as there is but one way to write it: lower case, without a dot behind it.
pub(crate) fn host(name: &ServerName<'_>) -> String {
    name.to_str().trim_end_matches('.').to_ascii_lowercase()
}

/// Who judges the peer: a verifier, or the caller.
fn judge(verifier: Option<&Verifier>) -> Vec<u8> {
    verifier.map_or_else(|| b"caller".to_vec(), |verifier| verifier.fingerprint().to_vec())
}

/// The first half of SHA-256 over the parts, each behind its length, so that no two lists read alike.
fn half<const N: usize>(parts: [&[u8]; N]) -> [u8; HALF] {
    let lengths = parts.map(|part| u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    let mut all = [[&[][..]; 2]; N];
    for ((pair, length), part) in all.iter_mut().zip(&lengths).zip(parts) {
        *pair = [length, part];
    }
    let digest = Hash::Sha256.digest_parts(all.as_flattened());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_and_policy_are_told_apart() {
        let hash = |context: &[u8], auth| PolicyHash::server(context, auth, None);
        let one = hash(b"a", ClientAuth::None);
        let stricter = hash(b"a", ClientAuth::Required);
        assert!(one.has_context_of(stricter.as_bytes()) && !one.has_policy_of(stricter.as_bytes()));
        let elsewhere = hash(b"b", ClientAuth::None);
        assert!(!one.has_context_of(elsewhere.as_bytes()) && one.has_policy_of(elsewhere.as_bytes()));
        assert_eq!(one, hash(b"a", ClientAuth::None));
    }

    #[test]
    fn lists_do_not_read_alike() {
        assert_ne!(half([b"ab", b"c"]), half([b"a", b"bc"]));
        assert_ne!(half([b"ab"]), half([b"ab", b""]));
        assert_ne!(half([]), half([b""]));
    }

    #[test]
    fn a_clients_sessions_are_of_one_name_however_it_is_written() {
        let name = |name| ServerName::try_from(name).unwrap();
        let all = PolicyHash::client(b"", &[], None);
        assert_eq!(all.of_name(&name("a.test")), all.of_name(&name("A.test.")));
        assert_ne!(all.of_name(&name("a.test")), all.of_name(&name("b.test")));
        let (policy, named) = (&all.0[HALF..], all.of_name(&name("a.test")));
        assert_eq!(named.0[HALF..], half([policy, b"a.test"]));
        assert!(all.of_name(&name("a.test")).has_context_of(all.of_name(&name("b.test")).as_bytes()));
    }
}
