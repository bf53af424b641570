//! The command line: which flags there are, and for which connections of a test each one counts.

use std::fmt;

use crate::encoding;

/// What one connection is told. A field has the name of its flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) port: Option<u32>,
    pub(crate) shim_id: Option<u64>,
    pub(crate) ipv6: bool,
    pub(crate) server: bool,

    /// How many connections there are after the first one.
    pub(crate) resume_count: Option<u32>,
    /// Seconds that pass for the shim after a connection.
    pub(crate) resumption_delay: Option<u32>,

    // How the shim behaves.
    pub(crate) is_async: bool,
    pub(crate) implicit_handshake: bool,
    pub(crate) shim_writes_first: bool,
    pub(crate) shim_initial_write: Option<Vec<u8>>,
    pub(crate) repeat_shim_initial_write: Option<u32>,
    pub(crate) shim_shuts_down: bool,
    pub(crate) check_close_notify: bool,
    pub(crate) read_size: Option<u32>,
    pub(crate) read_with_unfinished_write: bool,
    pub(crate) key_update: bool,
    pub(crate) key_update_before_read: bool,
    pub(crate) export_keying_material: Option<u32>,
    pub(crate) export_label: Option<Vec<u8>>,
    pub(crate) export_context: Option<Vec<u8>>,
    pub(crate) use_export_context: bool,
    pub(crate) use_exporter_between_reads: bool,
    pub(crate) export_traffic_secrets: bool,
    pub(crate) handshake_never_done: bool,
    /// The type of the message behind which early data is written, rather than right away.
    pub(crate) early_write_after_message: Option<u16>,
    pub(crate) fail_early_callback: bool,
    pub(crate) fail_cert_callback: bool,
    pub(crate) fail_cert_callback_alert: Option<u32>,

    // What the connection is configured with.
    pub(crate) default_credential: CredentialConfig,
    pub(crate) credentials: Vec<CredentialConfig>,
    pub(crate) install_cert_compression_algs: bool,
    pub(crate) install_one_cert_compression_alg: Option<u16>,
    pub(crate) min_version: Option<u16>,
    pub(crate) max_version: Option<u16>,
    pub(crate) no_ticket: bool,
    pub(crate) no_legacy_server_connect: bool,
    pub(crate) enable_early_data: bool,
    pub(crate) no_tls12: bool,
    pub(crate) no_tls13: bool,
    pub(crate) fips_202205: bool,
    pub(crate) wpa_202304: bool,
    pub(crate) cnsa1_202603: bool,
    pub(crate) cnsa2_202603: bool,
    pub(crate) cnsa_202407: bool,
    pub(crate) verify_prefs: Vec<u16>,
    pub(crate) curves: Vec<u16>,
    pub(crate) tls13_ciphers: Vec<u16>,
    pub(crate) key_shares: Vec<u16>,
    pub(crate) server_supported_groups_hint: Vec<u16>,
    pub(crate) cipher: Option<Vec<u8>>,
    pub(crate) ticket_key: Option<Vec<u8>>,
    pub(crate) use_ticket_callback: bool,
    pub(crate) use_ticket_aead_callback: bool,
    pub(crate) renew_ticket: bool,
    pub(crate) resumption_across_names_enabled: bool,
    pub(crate) skip_ticket: bool,
    pub(crate) no_key_shares: bool,
    pub(crate) require_any_client_certificate: bool,
    pub(crate) verify_peer: bool,
    pub(crate) verify_fail: bool,
    pub(crate) reverify_on_resume: bool,
    pub(crate) use_custom_verify_callback: bool,
    pub(crate) host_name: Option<Vec<u8>>,
    pub(crate) advertise_alpn: Option<Vec<u8>>,
    pub(crate) select_alpn: Option<Vec<u8>>,
    pub(crate) decline_alpn: bool,
    pub(crate) reject_alpn: bool,
    pub(crate) select_empty_alpn: bool,
    pub(crate) max_cert_list: Option<u32>,
    pub(crate) max_send_fragment: Option<u16>,
    pub(crate) enable_grease: bool,
    pub(crate) permute_extensions: bool,
    pub(crate) server_preference: bool,
    pub(crate) use_client_ca_list: Option<Vec<u8>>,
    pub(crate) enable_ocsp_stapling: bool,
    pub(crate) enable_signed_cert_timestamps: bool,
    pub(crate) use_ocsp_callback: bool,
    pub(crate) set_ocsp_in_callback: bool,
    pub(crate) decline_ocsp_callback: bool,
    pub(crate) fail_ocsp_callback: bool,

    // What must come out.
    pub(crate) expect_version: Option<u16>,
    pub(crate) expect_cipher: Option<u16>,
    pub(crate) expect_cipher_aes: Option<u16>,
    pub(crate) expect_cipher_no_aes: Option<u16>,
    pub(crate) expect_curve_id: Option<u16>,
    pub(crate) expect_peer_signature_algorithm: Option<u16>,
    pub(crate) expect_peer_verify_pref: Vec<u16>,
    pub(crate) expect_alpn: Option<Vec<u8>>,
    pub(crate) expect_advertised_alpn: Option<Vec<u8>>,
    pub(crate) expect_server_name: Option<Vec<u8>>,
    pub(crate) expect_no_server_name: bool,
    pub(crate) expect_peer_cert_file: Option<Vec<u8>>,
    pub(crate) expect_no_peer_cert: bool,
    pub(crate) expect_client_ca_list: Option<Vec<u8>>,
    pub(crate) expect_msg_callback: Option<Vec<u8>>,
    pub(crate) expect_certificate_types: Option<Vec<u8>>,
    pub(crate) expect_ocsp_response: Option<Vec<u8>>,
    pub(crate) expect_signed_cert_timestamps: Option<Vec<u8>>,
    pub(crate) expect_selected_credential: Option<i32>,
    pub(crate) expect_session_miss: bool,
    pub(crate) expect_no_session: bool,
    pub(crate) expect_session_id: bool,
    pub(crate) expect_no_session_id: bool,
    pub(crate) expect_ticket_renewal: bool,
    pub(crate) expect_ticket_age_skew: Option<i32>,
    pub(crate) expect_ticket_supports_early_data: bool,
    pub(crate) expect_resumable_across_names: bool,
    pub(crate) expect_not_resumable_across_names: bool,
    pub(crate) expect_accept_early_data: bool,
    pub(crate) expect_reject_early_data: bool,
    pub(crate) expect_no_offer_early_data: bool,
    pub(crate) expect_early_data_reason: Option<Vec<u8>>,
    pub(crate) expect_hrr: bool,
    pub(crate) expect_no_hrr: bool,
    pub(crate) expect_verify_result: bool,
    pub(crate) expect_extended_master_secret: bool,
    pub(crate) expect_secure_renegotiation: bool,
}

/// A credential, in flags.
#[derive(Clone, Debug, Default)]
pub(crate) struct CredentialConfig {
    pub(crate) cert_file: Option<Vec<u8>>,
    pub(crate) key_file: Option<Vec<u8>>,
    pub(crate) signing_prefs: Vec<u16>,
    pub(crate) ocsp_response: Option<Vec<u8>>,
    pub(crate) signed_cert_timestamps: Option<Vec<u8>>,
    /// Only for a peer that names one of its issuers.
    pub(crate) must_match_issuer: bool,
}

impl Config {
    /// The credential that flags are about: the newest one, the default one before there is any.
    fn newest(&mut self) -> &mut CredentialConfig {
        self.credentials.last_mut().unwrap_or(&mut self.default_credential)
    }

    /// Whether it is of interest which messages come and go.
    pub(crate) fn listens(&self) -> bool {
        self.expect_msg_callback.is_some() || self.early_write_after_message.is_some()
    }

    /// All credentials in the order in which they are tried, and their numbers: the default one comes last.
    pub(crate) fn all_credentials(&self) -> impl Iterator<Item = (i32, &CredentialConfig)> {
        (0..).zip(&self.credentials).chain([(-1, &self.default_credential)])
    }
}

/// Where a flag's value goes.
#[derive(Clone, Copy)]
enum Kind {
    Switch(fn(&mut Config) -> &mut bool),
    Small(fn(&mut Config) -> &mut Option<u16>),
    Number(fn(&mut Config) -> &mut Option<u32>),
    Long(fn(&mut Config) -> &mut Option<u64>),
    Text(fn(&mut Config) -> &mut Option<Vec<u8>>),
    Base64(fn(&mut Config) -> &mut Option<Vec<u8>>),
    List(fn(&mut Config) -> &mut Vec<u16>),
    Index(fn(&mut Config) -> &mut Option<i32>),
    /// Flags are about one more credential from here on.
    NewCredential,
    /// Accepted without effect: the comment beside it says why that is right.
    Nothing,
    /// The same, with a value.
    NothingOf,
}

use Kind::{Base64, Index, List, Long, NewCredential, Nothing, NothingOf, Number, Small, Switch, Text};

const FLAGS: &[(&str, Kind)] = &[
    ("port", Number(|c| &mut c.port)),
    ("shim-id", Long(|c| &mut c.shim_id)),
    ("ipv6", Switch(|c| &mut c.ipv6)),
    ("server", Switch(|c| &mut c.server)),
    ("resume-count", Number(|c| &mut c.resume_count)),
    ("resumption-delay", Number(|c| &mut c.resumption_delay)),
    ("async", Switch(|c| &mut c.is_async)),
    ("implicit-handshake", Switch(|c| &mut c.implicit_handshake)),
    ("shim-writes-first", Switch(|c| &mut c.shim_writes_first)),
    ("shim-initial-write", Text(|c| &mut c.shim_initial_write)),
    ("repeat-shim-initial-write", Number(|c| &mut c.repeat_shim_initial_write)),
    ("shim-shuts-down", Switch(|c| &mut c.shim_shuts_down)),
    ("check-close-notify", Switch(|c| &mut c.check_close_notify)),
    ("read-size", Number(|c| &mut c.read_size)),
    ("read-with-unfinished-write", Switch(|c| &mut c.read_with_unfinished_write)),
    ("key-update", Switch(|c| &mut c.key_update)),
    ("key-update-before-read", Switch(|c| &mut c.key_update_before_read)),
    ("export-keying-material", Number(|c| &mut c.export_keying_material)),
    ("export-label", Text(|c| &mut c.export_label)),
    ("export-context", Text(|c| &mut c.export_context)),
    ("use-export-context", Switch(|c| &mut c.use_export_context)),
    ("use-exporter-between-reads", Switch(|c| &mut c.use_exporter_between_reads)),
    ("export-traffic-secrets", Switch(|c| &mut c.export_traffic_secrets)),
    ("handshake-never-done", Switch(|c| &mut c.handshake_never_done)),
    ("early-write-after-message", Small(|c| &mut c.early_write_after_message)),
    ("fail-early-callback", Switch(|c| &mut c.fail_early_callback)),
    ("fail-cert-callback", Switch(|c| &mut c.fail_cert_callback)),
    ("fail-cert-callback-alert", Number(|c| &mut c.fail_cert_callback_alert)),
    ("min-version", Small(|c| &mut c.min_version)),
    ("max-version", Small(|c| &mut c.max_version)),
    ("no-tls13", Switch(|c| &mut c.no_tls13)),
    ("no-ticket", Switch(|c| &mut c.no_ticket)),
    ("enable-early-data", Switch(|c| &mut c.enable_early_data)),
    ("no-tls12", Switch(|c| &mut c.no_tls12)),
    // The library speaks nothing older that could be switched off.
    ("no-tls11", Nothing),
    ("no-tls1", Nothing),
    ("cert-file", Text(|c| &mut c.newest().cert_file)),
    ("key-file", Text(|c| &mut c.newest().key_file)),
    ("new-x509-credential", NewCredential),
    ("must-match-issuer", Switch(|c| &mut c.newest().must_match_issuer)),
    ("expect-selected-credential", Index(|c| &mut c.expect_selected_credential)),
    ("install-cert-compression-algs", Switch(|c| &mut c.install_cert_compression_algs)),
    ("install-one-cert-compression-alg", Small(|c| &mut c.install_one_cert_compression_alg)),
    ("fips-202205", Switch(|c| &mut c.fips_202205)),
    ("wpa-202304", Switch(|c| &mut c.wpa_202304)),
    ("cnsa1-202603", Switch(|c| &mut c.cnsa1_202603)),
    ("cnsa2-202603", Switch(|c| &mut c.cnsa2_202603)),
    ("cnsa-202407", Switch(|c| &mut c.cnsa_202407)),
    ("signing-prefs", List(|c| &mut c.newest().signing_prefs)),
    ("verify-prefs", List(|c| &mut c.verify_prefs)),
    ("curves", List(|c| &mut c.curves)),
    ("tls13-ciphers", List(|c| &mut c.tls13_ciphers)),
    ("key-shares", List(|c| &mut c.key_shares)),
    ("no-key-shares", Switch(|c| &mut c.no_key_shares)),
    ("cipher", Text(|c| &mut c.cipher)),
    ("ticket-key", Base64(|c| &mut c.ticket_key)),
    ("use-ticket-callback", Switch(|c| &mut c.use_ticket_callback)),
    ("use-ticket-aead-callback", Switch(|c| &mut c.use_ticket_aead_callback)),
    ("renew-ticket", Switch(|c| &mut c.renew_ticket)),
    ("resumption-across-names-enabled", Switch(|c| &mut c.resumption_across_names_enabled)),
    ("skip-ticket", Switch(|c| &mut c.skip_ticket)),
    ("server-supported-groups-hint", List(|c| &mut c.server_supported_groups_hint)),
    // Chains are not judged, as the suite expects: see `peer::verify`.
    ("trust-cert", NothingOf),
    ("require-any-client-certificate", Switch(|c| &mut c.require_any_client_certificate)),
    ("verify-peer", Switch(|c| &mut c.verify_peer)),
    ("verify-fail", Switch(|c| &mut c.verify_fail)),
    ("reverify-on-resume", Switch(|c| &mut c.reverify_on_resume)),
    ("use-custom-verify-callback", Switch(|c| &mut c.use_custom_verify_callback)),
    // Which of its API's ways the suite's own shim takes: there is one way here.
    ("use-early-callback", Nothing),
    ("use-old-client-cert-callback", Nothing),
    ("host-name", Text(|c| &mut c.host_name)),
    ("advertise-alpn", Text(|c| &mut c.advertise_alpn)),
    ("select-alpn", Text(|c| &mut c.select_alpn)),
    ("decline-alpn", Switch(|c| &mut c.decline_alpn)),
    ("reject-alpn", Switch(|c| &mut c.reject_alpn)),
    ("select-empty-alpn", Switch(|c| &mut c.select_empty_alpn)),
    ("max-cert-list", Number(|c| &mut c.max_cert_list)),
    ("enable-ocsp-stapling", Switch(|c| &mut c.enable_ocsp_stapling)),
    ("enable-signed-cert-timestamps", Switch(|c| &mut c.enable_signed_cert_timestamps)),
    ("ocsp-response", Base64(|c| &mut c.newest().ocsp_response)),
    ("signed-cert-timestamps", Base64(|c| &mut c.newest().signed_cert_timestamps)),
    ("use-ocsp-callback", Switch(|c| &mut c.use_ocsp_callback)),
    ("set-ocsp-in-callback", Switch(|c| &mut c.set_ocsp_in_callback)),
    ("decline-ocsp-callback", Switch(|c| &mut c.decline_ocsp_callback)),
    ("fail-ocsp-callback", Switch(|c| &mut c.fail_ocsp_callback)),
    ("max-send-fragment", Small(|c| &mut c.max_send_fragment)),
    ("enable-grease", Switch(|c| &mut c.enable_grease)),
    ("permute-extensions", Switch(|c| &mut c.permute_extensions)),
    ("server-preference", Switch(|c| &mut c.server_preference)),
    ("use-client-ca-list", Text(|c| &mut c.use_client_ca_list)),
    // Of TLS 1.2, and without effect in 1.3.
    ("renegotiate-ignore", Nothing),
    ("no-legacy-server-connect", Switch(|c| &mut c.no_legacy_server_connect)),
    // The runner appends a transcript to a file of its own making if there is none.
    ("write-settings", NothingOf),
    ("expect-version", Small(|c| &mut c.expect_version)),
    ("expect-cipher", Small(|c| &mut c.expect_cipher)),
    ("expect-cipher-aes", Small(|c| &mut c.expect_cipher_aes)),
    ("expect-cipher-no-aes", Small(|c| &mut c.expect_cipher_no_aes)),
    ("expect-curve-id", Small(|c| &mut c.expect_curve_id)),
    ("expect-peer-signature-algorithm", Small(|c| &mut c.expect_peer_signature_algorithm)),
    ("expect-peer-verify-pref", List(|c| &mut c.expect_peer_verify_pref)),
    ("expect-alpn", Text(|c| &mut c.expect_alpn)),
    ("expect-advertised-alpn", Text(|c| &mut c.expect_advertised_alpn)),
    ("expect-server-name", Text(|c| &mut c.expect_server_name)),
    ("expect-no-server-name", Switch(|c| &mut c.expect_no_server_name)),
    ("expect-peer-cert-file", Text(|c| &mut c.expect_peer_cert_file)),
    ("expect-no-peer-cert", Switch(|c| &mut c.expect_no_peer_cert)),
    ("expect-client-ca-list", Text(|c| &mut c.expect_client_ca_list)),
    ("expect-msg-callback", Text(|c| &mut c.expect_msg_callback)),
    ("expect-certificate-types", Base64(|c| &mut c.expect_certificate_types)),
    ("expect-ocsp-response", Base64(|c| &mut c.expect_ocsp_response)),
    ("expect-signed-cert-timestamps", Base64(|c| &mut c.expect_signed_cert_timestamps)),
    ("expect-session-miss", Switch(|c| &mut c.expect_session_miss)),
    ("expect-no-session", Switch(|c| &mut c.expect_no_session)),
    ("expect-session-id", Switch(|c| &mut c.expect_session_id)),
    ("expect-no-session-id", Switch(|c| &mut c.expect_no_session_id)),
    ("expect-ticket-renewal", Switch(|c| &mut c.expect_ticket_renewal)),
    ("expect-ticket-age-skew", Index(|c| &mut c.expect_ticket_age_skew)),
    ("expect-ticket-supports-early-data", Switch(|c| &mut c.expect_ticket_supports_early_data)),
    ("expect-resumable-across-names", Switch(|c| &mut c.expect_resumable_across_names)),
    ("expect-not-resumable-across-names", Switch(|c| &mut c.expect_not_resumable_across_names)),
    ("expect-accept-early-data", Switch(|c| &mut c.expect_accept_early_data)),
    ("expect-reject-early-data", Switch(|c| &mut c.expect_reject_early_data)),
    ("expect-no-offer-early-data", Switch(|c| &mut c.expect_no_offer_early_data)),
    ("expect-early-data-reason", Text(|c| &mut c.expect_early_data_reason)),
    ("expect-hrr", Switch(|c| &mut c.expect_hrr)),
    ("expect-no-hrr", Switch(|c| &mut c.expect_no_hrr)),
    ("expect-verify-result", Switch(|c| &mut c.expect_verify_result)),
    ("expect-extended-master-secret", Switch(|c| &mut c.expect_extended_master_secret)),
    ("expect-secure-renegotiation", Switch(|c| &mut c.expect_secure_renegotiation)),
];

/// What each connection of a test is told: the first one, those after it, and the one that goes on at 1-RTT when
/// its 0-RTT data was refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configs {
    pub(crate) initial: Config,
    pub(crate) resume: Config,
    pub(crate) retry: Config,
}

/// Why a command line was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A flag, or a value of one, that stands for something that is not there.
    NotImplemented(String),
    /// A known flag without a value that it can use.
    Malformed(String),
}

/// Which configurations a flag goes to.
#[derive(Clone, Copy)]
enum Scope {
    All,
    Initial,
    Resume,
    Retry,
}

impl Configs {
    /// Reads the arguments behind the program's name.
    pub(crate) fn parse(arguments: Vec<Vec<u8>>) -> Result<Self, Refused> {
        let mut configs = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (scope, name) = scope(&argument);
            let Some((_, kind)) = FLAGS.iter().find(|(known, _)| known.as_bytes() == name) else {
                return Err(Refused::NotImplemented(lossy(&argument)));
            };
            let value = match kind {
                Switch(_) | Nothing | NewCredential => Vec::new(),
                _ => {
                    let missing = || Refused::Malformed(format!("{} has no value", lossy(&argument)));
                    arguments.next().ok_or_else(missing)?
                }
            };
            for config in configs.of(scope) {
                let bad = || Refused::Malformed(format!("{} {}", lossy(&argument), lossy(&value)));
                kind.set(config, &value).ok_or_else(bad)?;
            }
        }
        Ok(configs)
    }

    fn of(&mut self, scope: Scope) -> Vec<&mut Config> {
        match scope {
            Scope::All => vec![&mut self.initial, &mut self.resume, &mut self.retry],
            Scope::Initial => vec![&mut self.initial],
            Scope::Resume => vec![&mut self.resume],
            Scope::Retry => vec![&mut self.retry],
        }
    }
}

/// Splits `-on-resume-NAME` into what it says; a name without a dash is no flag and found nowhere.
fn scope(argument: &[u8]) -> (Scope, &[u8]) {
    const SCOPES: [(&[u8], Scope); 4] = [
        (b"-on-initial-", Scope::Initial),
        (b"-on-resume-", Scope::Resume),
        (b"-on-retry-", Scope::Retry),
        (b"-", Scope::All),
    ];
    SCOPES
        .iter()
        .find_map(|(prefix, scope)| Some((*scope, argument.strip_prefix(*prefix)?)))
        .unwrap_or((Scope::All, b""))
}

impl Kind {
    /// Puts the value where it belongs; `None` if it cannot be read.
    fn set(self, config: &mut Config, value: &[u8]) -> Option<()> {
        match self {
            Switch(field) => *field(config) = true,
            Small(field) => *field(config) = Some(number(value)?),
            Number(field) => *field(config) = Some(number(value)?),
            Long(field) => *field(config) = Some(number(value)?),
            Text(field) => *field(config) = Some(value.to_vec()),
            Base64(field) => *field(config) = Some(encoding::base64(value)?),
            List(field) => field(config).push(number(value)?),
            Index(field) => *field(config) = Some(number(value)?),
            NewCredential => config.credentials.push(CredentialConfig::default()),
            Nothing | NothingOf => {}
        }
        Some(())
    }
}

fn number<T: std::str::FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NotImplemented(what) | Self::Malformed(what)) = self;
        f.write_str(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Configs, Refused> {
        Configs::parse(line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect())
    }

    #[test]
    fn a_flag_without_a_prefix_counts_for_every_connection() {
        let configs = parse("-port 80 -curves 29 -curves 23 -server").unwrap();
        for config in [&configs.initial, &configs.resume, &configs.retry] {
            assert_eq!(config.port, Some(80));
            assert_eq!(config.curves, [29, 23]);
            assert!(config.server);
        }
    }

    #[test]
    fn a_prefix_limits_a_flag_to_its_connections() {
        let configs = parse("-on-resume-expect-alpn foo -on-initial-expect-hrr -on-retry-async").unwrap();
        assert_eq!(configs.resume.expect_alpn.as_deref(), Some(&b"foo"[..]));
        assert_eq!(configs.initial.expect_alpn, None);
        assert!(configs.initial.expect_hrr && !configs.resume.expect_hrr);
        assert!(configs.retry.is_async && !configs.initial.is_async);
    }

    #[test]
    fn flags_of_credentials_are_about_the_newest_one() {
        let line = "-cert-file a -new-x509-credential -cert-file b -new-x509-credential -must-match-issuer";
        let config = parse(line).unwrap().initial;
        let files: Vec<_> = config.all_credentials().map(|(at, c)| (at, c.cert_file.as_deref())).collect();
        assert_eq!(files, [(0, Some(&b"b"[..])), (1, None), (-1, Some(b"a"))]);
        assert!(config.credentials[1].must_match_issuer && !config.credentials[0].must_match_issuer);
    }

    #[test]
    fn what_is_not_known_is_not_implemented_rather_than_ignored() {
        for line in ["-no-such-flag", "-on-resume-no-such-flag", "--server", "server", "-port 1 2"] {
            assert!(matches!(parse(line), Err(Refused::NotImplemented(_))), "{line}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_is_an_error() {
        let counts =
            ["-resume-count", "-resume-count x", "-resumption-delay -1", "-resumption-delay 4294967296"];
        for line in ["-port", "-port x", "-curves 65536", "-expect-version -1"].into_iter().chain(counts) {
            assert!(matches!(parse(line), Err(Refused::Malformed(_))), "{line}");
        }
    }
}
