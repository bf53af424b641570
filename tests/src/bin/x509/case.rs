//! One case: what is validated, and how.

use std::time::Duration;

use oxtls::pki_types::pem::PemObject;
use oxtls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use oxtls::x509::{
    CrlStore, ObjectIdentifier, Policy, PolicyInputs, Purpose, ReferenceIdentifier, Revocation, Roots,
    Stapled, VerifiedPath, Verifier,
};
use serde_json::Value;

use crate::Error;

pub(crate) struct Case<'c> {
    json: &'c Value,
    pub(crate) id: &'c str,
    /// Whether the chain is to be accepted.
    pub(crate) accept: bool,
}

impl<'c> Case<'c> {
    pub(crate) fn new(json: &'c Value) -> Result<Self, Error> {
        let id = json["id"].as_str().ok_or("a case without an id")?;
        let accept = match json["expected_result"].as_str() {
            Some("SUCCESS") => true,
            Some("FAILURE") => false,
            _ => return Err(format!("{id}: expected_result is neither SUCCESS nor FAILURE").into()),
        };
        Ok(Self { json, id, accept })
    }

    /// What the case is about, in one line.
    pub(crate) fn description(&self) -> String {
        let text = self.json["description"].as_str().unwrap_or("(no description)");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Cases that no policy can pass together with this one.
    pub(crate) fn conflicts(&self) -> Vec<&'c str> {
        list(&self.json["conflicts_with"]).iter().filter_map(Value::as_str).collect()
    }

    pub(crate) fn is_pkits(&self) -> bool {
        self.json.get("initial_policy_set").is_some()
    }

    pub(crate) fn wants_digital_signature(&self) -> bool {
        list(&self.json["key_usage"]).iter().any(|usage| usage == "digitalSignature")
    }

    /// Validates the chain: why it is refused.
    pub(crate) fn judge(&self, policy: Policy) -> Result<(), String> {
        let mut roots = Roots::empty();
        for root in self.certificates("trusted_certs")? {
            roots.add_der(&root).map_err(|error| error.to_string())?;
        }
        let mut chain = vec![certificate(&self.json["peer_certificate"])?];
        chain.extend(self.certificates("untrusted_intermediates")?);
        let verifier = Verifier::new(roots, self.purpose())
            .with_policy(self.policy(policy)?)
            .with_revocation(self.revocation()?);
        let names = self.names()?;
        let now = self.time()?;
        if names.is_empty() {
            let path = verifier.verify_client(&chain, now).map_err(|report| report.explain())?;
            self.check_policies(&path)?;
        }
        for name in &names {
            verifier.verify_peer(&chain, name, Stapled::default(), now).map_err(|report| report.explain())?;
        }
        Ok(())
    }

    fn purpose(&self) -> Purpose {
        let client = self.json["validation_kind"] == "CLIENT"
            || list(&self.json["extended_key_usage"]).iter().any(|usage| usage == "clientAuth");
        if client { Purpose::ClientAuth } else { Purpose::ServerAuth }
    }

    fn policy(&self, policy: Policy) -> Result<Policy, String> {
        let policy = match self.json["max_chain_depth"].as_u64() {
            Some(depth) => policy.with_max_depth(u8::try_from(depth).unwrap_or(u8::MAX)),
            None => policy,
        };
        if !self.is_pkits() {
            return Ok(policy);
        }
        let flag = |name: &str| self.json[name].as_bool().unwrap_or(false);
        Ok(policy.with_policy_inputs(PolicyInputs {
            initial_policy_set: Some(identifiers(&self.json["initial_policy_set"])?),
            initial_explicit_policy: flag("initial_explicit_policy"),
            initial_policy_mapping_inhibit: flag("initial_policy_mapping_inhibit"),
            initial_any_policy_inhibit: flag("initial_inhibit_any_policy"),
        }))
    }

    /// PKITS says under which policies a path is valid.
    fn check_policies(&self, path: &VerifiedPath) -> Result<(), String> {
        let Some(expected) = self.json.get("user_constrained_policy_set") else { return Ok(()) };
        let mut expected = identifiers(expected)?;
        expected.sort();
        let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
        let found: Vec<_> = path.policies().map(|policy| policy.to_string()).collect();
        if found == expected { Ok(()) } else { Err(format!("valid under {found:?}, not {expected:?}")) }
    }

    /// Where there are CRLs the status of every certificate must be known. A CRL that can't be read tells nothing.
    fn revocation(&self) -> Result<Revocation, String> {
        let given = list(&self.json["crls"]);
        if given.is_empty() {
            return Ok(Revocation::off());
        }
        let mut crls = CrlStore::empty();
        for pem in given {
            let der = CertificateRevocationListDer::from_pem_slice(text(pem)?.as_bytes())
                .map_err(|error| format!("a CRL is no PEM: {error}"))?;
            let _ = crls.add_der(der.to_vec());
        }
        Ok(Revocation::hard_fail(crls))
    }

    /// The names that the peer must have: one of a server, each of a client's.
    fn names(&self) -> Result<Vec<ReferenceIdentifier<'c>>, String> {
        let names = list(&self.json["expected_peer_names"]).iter().chain([&self.json["expected_peer_name"]]);
        names
            .filter(|name| !name.is_null())
            .map(|name| {
                let value = text(&name["value"])?;
                if name["kind"] == "RFC822" {
                    return ReferenceIdentifier::email(value).map_err(|error| error.to_string());
                }
                ServerName::try_from(value).map(Into::into).map_err(|error| format!("{value:?}: {error}"))
            })
            .collect()
    }

    /// When it is judged. Certificates count in whole seconds, and a fraction is dropped, as `UnixTime::now` drops it: a
    /// certificate is valid throughout its last second, and not at all in the one before its first.
    fn time(&self) -> Result<UnixTime, String> {
        let Some(text) = self.json["validation_time"].as_str() else {
            return Ok(UnixTime::now());
        };
        let seconds = seconds(text).ok_or_else(|| format!("{text:?} is no time that is known here"))?;
        Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }

    fn certificates(&self, field: &str) -> Result<Vec<CertificateDer<'static>>, String> {
        list(&self.json[field]).iter().map(certificate).collect()
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is no text"))
}

fn certificate(pem: &Value) -> Result<CertificateDer<'static>, String> {
    CertificateDer::from_pem_slice(text(pem)?.as_bytes())
        .map_err(|error| format!("a certificate is no PEM: {error}"))
}

fn identifiers(value: &Value) -> Result<Vec<ObjectIdentifier>, String> {
    let read = |identifier: &Value| {
        let identifier = text(identifier)?;
        identifier.parse().map_err(|_| format!("{identifier:?} is no identifier"))
    };
    list(value).iter().map(read).collect()
}

/// `2024-03-01T00:00:00.999+00:00`, or with a Z: whole seconds since 1970.
fn seconds(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once('T')?;
    let clock = rest.trim_end_matches("+00:00").trim_end_matches('Z');
    let (clock, _) = clock.split_once('.').unwrap_or((clock, ""));
    let numbers = |text: &str, between: char| -> Option<[i64; 3]> {
        let numbers: Result<Vec<i64>, _> = text.split(between).map(str::parse).collect();
        numbers.ok()?.try_into().ok()
    };
    let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(clock, ':')?);
    // Years that begin in March end with the day that some of them have.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    u64::try_from(seconds).ok()
}
