//! The public conformance suites, in limbo's format, and their cases.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use oxtls_x509::Roots;
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, UnixTime};
use serde_json::Value;

/// A suite's file from `$OXTLS_CONFORMANCE_DATA`, or else from `../shared/data` beside the workspace. Says loudly that
/// it was skipped if it is not there.
#[allow(clippy::print_stderr, reason = "skipped tests say so")]
pub fn load(name: &str) -> Option<Value> {
    let folder = std::env::var_os("OXTLS_CONFORMANCE_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let file = folder.join(name);
    if !file.exists() {
        eprintln!("SKIPPED: no {} (set OXTLS_CONFORMANCE_DATA to its folder)", file.display());
        return None;
    }
    let output = match Command::new("xz").arg("-dc").arg(&file).output() {
        Ok(output) if output.status.success() => output.stdout,
        _ => {
            eprintln!("SKIPPED: xz cannot unpack {}", file.display());
            return None;
        }
    };
    Some(serde_json::from_slice(&output).expect("the data is JSON"))
}

/// One case.
pub struct Case<'c> {
    /// As it stands in the file.
    pub json: &'c Value,
}

impl<'c> Case<'c> {
    /// Its name.
    pub fn id(&self) -> &'c str {
        self.json["id"].as_str().expect("an id")
    }

    /// Its anchors; why not, where one cannot be read.
    pub fn roots(&self) -> Result<Roots, String> {
        let mut roots = Roots::empty();
        for root in certificates(&self.json["trusted_certs"]) {
            roots.add_der(&root).map_err(|error| error.to_string())?;
        }
        Ok(roots)
    }

    /// The peer's certificate and the intermediates.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        let mut chain = vec![certificate(self.json["peer_certificate"].as_str().expect("PEM text"))];
        chain.extend(certificates(&self.json["untrusted_intermediates"]));
        chain
    }

    /// The CRLs, DER.
    pub fn crls(&self) -> Vec<Vec<u8>> {
        let texts = self.json["crls"].as_array().expect("a list of PEM texts").iter();
        let read = |pem: &Value| {
            let pem = pem.as_str().expect("PEM text").as_bytes();
            pki_types::CertificateRevocationListDer::from_pem_slice(pem).expect("well-formed PEM").to_vec()
        };
        texts.map(read).collect()
    }

    /// When it is to be judged. Certificates count in whole seconds, and a fraction is dropped, as `UnixTime::now` drops
    /// it: a certificate is valid throughout its last second, and not at all in the one before its first.
    pub fn time(&self) -> UnixTime {
        let Some(text) = self.json["validation_time"].as_str() else {
            return UnixTime::now();
        };
        let (date, rest) = text.split_once('T').expect("a date and a time");
        let clock = rest.trim_end_matches("+00:00").trim_end_matches('Z');
        let (clock, _) = clock.split_once('.').unwrap_or((clock, ""));
        let number = |text: &str| text.parse::<i64>().expect("a number");
        let date: Vec<_> = date.split('-').map(number).collect();
        let clock: Vec<_> = clock.split(':').map(number).collect();
        let (y, m) = if date[1] <= 2 { (date[0] - 1, date[1] + 9) } else { (date[0], date[1] - 3) };
        let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + date[2] - 1 - 719_468;
        let seconds = days * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2];
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).expect("after 1970")))
    }
}

fn certificates(list: &Value) -> Vec<CertificateDer<'static>> {
    let texts = list.as_array().expect("a list of PEM texts").iter();
    texts.map(|pem| certificate(pem.as_str().expect("PEM text"))).collect()
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("well-formed PEM")
}
