//! Every rule that a chain can break, each one named item with its section.
//!
//! A [`Report`](crate::Report) cites the rule; a [`Policy`](crate::Policy) can switch exactly one of the optional
//! ones on or off.

use core::fmt;

/// Makes the enumeration, its sections and its explanations from one table, so that none can be forgotten.
macro_rules! rules {
    ($($(#[$meta:meta])* $name:ident = $section:literal, $explain:literal;)*) => {
        /// A rule of path validation. `Display` is its name; [`Rule::section`] says where it stands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $explain] #[doc = ""] #[doc = $section] $(#[$meta])* $name,)*
        }

        impl Rule {
            /// Every rule there is.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)*];

            /// Where the rule stands, as `RFC 5280 section 4.1.2.5`.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self { $(Rule::$name => $section,)* }
            }

            /// The rule in one sentence.
            #[must_use]
            pub const fn explain(self) -> &'static str {
                match self { $(Rule::$name => $explain,)* }
            }

            /// The rule's name, as in the source.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Rule::$name => stringify!($name),)* }
            }
        }
    };
}

rules! {
    // Reading a certificate.
    Encoding = "X.690 sections 8, 10 and 11", "Certificates are DER: one encoding for each value, nothing left over.";
    Structure = "RFC 5280 section 4.1", "A certificate has the fields of the Certificate type, in their order.";
    Version = "RFC 5280 section 4.1.2.1", "Extensions need version 3, and only versions 1, 2 and 3 exist.";
    SerialNumber = "RFC 5280 section 4.1.2.2", "The serial number is a positive integer of at most 20 octets.";
    SignatureAlgorithmsAgree = "RFC 5280 section 4.1.1.2", "The signature algorithm inside and outside the signed part is the same.";
    TimeEncoding = "RFC 5280 section 4.1.2.5", "Times are UTCTime with seconds or GeneralizedTime without fractions, both ending in Z.";
    GeneralizedTimeBefore2050 = "RFC 5280 section 4.1.2.5", "Dates through 2049 are UTCTime.";
    DuplicateExtension = "RFC 5280 section 4.2", "A certificate carries each extension at most once.";
    ExtensionEncoding = "RFC 5280 section 4.2.1", "The value of a known extension has the form that the extension's section gives.";
    // Each certificate of a path.
    CriticalExtension = "RFC 5280 section 4.2", "A critical extension that is not understood refuses the certificate.";
    SignatureAlgorithm = "RFC 5280 section 6.1.3 (a)(1), RFC 9325 section 4.5", "The signature algorithm is supported and not broken: no MD5, no SHA-1.";
    KeyAlgorithm = "RFC 5280 section 4.1.2.7", "The public key is of a supported kind, on a named curve, well formed.";
    KeyStrength = "RFC 9325 section 4.5", "RSA keys have 2048 to 8192 bits.";
    NotBefore = "RFC 5280 section 6.1.3 (a)(2)", "The certificate has become valid.";
    NotAfter = "RFC 5280 section 6.1.3 (a)(2)", "The certificate has not expired.";
    SubjectPresent = "RFC 5280 section 4.1.2.6", "Subjects without a name carry a critical subjectAltName, and issuers have a name.";
    // The leaf.
    ChainPresent = "RFC 9846 section 4.5.1.3", "The peer sends at least its own certificate.";
    LeafVersion = "RFC 5280 section 4.1.2.1", "The peer's certificate is of version 3.";
    DigitalSignature = "RFC 5280 section 4.2.1.3, RFC 9846 section 4.5.1.2", "A keyUsage of the peer's certificate allows digital signatures.";
    ExtendedKeyUsage = "RFC 5280 section 4.2.1.12", "An extendedKeyUsage allows the purpose, in the peer's certificate and in each issuer's.";
    NameMatch = "RFC 9525 section 6", "The peer's certificate names the wanted host or address in its subjectAltName.";
    // Issuers.
    BasicConstraints = "RFC 5280 section 6.1.4 (k)", "An issuer is of version 3 and says cA in its basicConstraints.";
    KeyCertSign = "RFC 5280 section 6.1.4 (n)", "A keyUsage of an issuer allows to sign certificates.";
    PathLength = "RFC 5280 section 6.1.4 (l), (m)", "No more intermediates follow an issuer than its pathLenConstraint allows.";
    PermittedSubtrees = "RFC 5280 section 6.1.3 (b)", "Each name lies within the subtrees that the issuers above permit.";
    ExcludedSubtrees = "RFC 5280 section 6.1.3 (c)", "No name lies within the subtrees that an issuer above excludes.";
    ConstraintForm = "RFC 5280 section 4.2.1.10", "Names of a form that is constrained in a way not understood are refused.";
    ExplicitPolicy = "RFC 5280 sections 6.1.3 (f) and 6.1.5 (g)", "A path that must satisfy a certificate policy has one that is acceptable.";
    PolicyMapping = "RFC 5280 section 6.1.4 (a)", "anyPolicy is not mapped, and nothing is mapped to it.";
    // The path.
    IssuerKnown = "RFC 5280 section 6.1.1 (d)", "The path begins at a trust anchor.";
    Signature = "RFC 5280 section 6.1.3 (a)(1)", "The certificate's signature verifies with its issuer's key.";
    PathDepth = "RFC 4158 section 8.1", "A path has no more intermediates than the budget allows.";
    PinnedKey = "RFC 7469 section 2.6", "A path to a root has one of the pinned keys in it, where keys are pinned.";
    ExactCertificate = "RFC 6125 section 6.6.2", "The peer's certificate is one of those that are trusted as they are, where only such are.";
    WorkBudget = "RFC 4158 section 8.1", "Building the path stays within the budget of signatures, nodes and comparisons.";
    // Status.
    CrlForm = "RFC 5280 section 5.1", "A CRL has the fields of the CertificateList type, nextUpdate and cRLNumber among them.";
    CrlCriticalExtension = "RFC 5280 section 5.2", "A critical extension of a CRL or of its entries that is not understood refuses the CRL.";
    NotRevoked = "RFC 5280 section 6.1.3 (a)(3)", "The certificate is not revoked.";
    StatusKnown = "RFC 5280 section 6.3.3", "Whether the certificate is revoked is known, where the policy insists.";
    StapledStatus = "RFC 6066 section 8, RFC 6960 section 3.2", "A stapled OCSP response is well formed, fresh, about this certificate and signed by who may.";
    MustStaple = "RFC 7633 section 4.3.3", "A certificate that promises a stapled OCSP response comes with one.";
    Transparency = "RFC 6962 section 5.2", "As many logs as the policy demands have promised to publish the certificate.";
    // Profile rules: only under `Policy::strict` or when asked for.
    CaAsLeaf = "CA/Browser Forum BR section 7.1.2.7.8", "The peer's own certificate is not a CA certificate.";
    LeafExtendedKeyUsagePresent = "CA/Browser Forum BR section 7.1.2.7.6", "The peer's certificate carries an extendedKeyUsage.";
    AnyExtendedKeyUsage = "CA/Browser Forum BR section 7.1.2.7.10", "The peer's certificate does not claim anyExtendedKeyUsage.";
    ForeignExtendedKeyUsage = "CA/Browser Forum BR section 7.1.2.7.10", "A server's certificate is not meant for signing code, mail, time stamps or OCSP responses too.";
    LeafCriticality = "CA/Browser Forum BR section 7.1.2.7.6", "extendedKeyUsage, certificatePolicies and cRLDistributionPoints of the peer's certificate are not critical.";
    AnchorExtendedKeyUsage = "CA/Browser Forum BR section 7.1.2.1.2", "Root certificates carry no extendedKeyUsage.";
    AuthorityKeyIdentifierPresent = "RFC 5280 section 4.2.1.1", "Every certificate that is not self-signed carries an authority key identifier.";
    AuthorityKeyIdentifierForm = "RFC 5280 section 4.2.1.1, CA/Browser Forum BR section 7.1.2.11.1", "The authority key identifier is not critical and consists of a key identifier, which in a root is its own.";
    SubjectKeyIdentifierPresent = "RFC 5280 section 4.2.1.2", "Every CA certificate carries a subject key identifier, not critical.";
    BasicConstraintsCritical = "RFC 5280 section 4.2.1.9", "CA certificates mark basicConstraints as critical.";
    PathLengthNeedsCa = "RFC 5280 section 4.2.1.9", "pathLenConstraint appears only in CA certificates whose keyUsage allows to sign certificates.";
    KeyUsageNeedsCa = "RFC 5280 section 4.2.1.3", "keyCertSign appears only together with cA in basicConstraints.";
    CaSignsCertificates = "RFC 5280 sections 4.2.1.3 and 4.2.1.9", "A certificate that says cA and has a keyUsage allows to sign certificates.";
    KeyUsagePresent = "RFC 5280 section 4.2.1.3", "Intermediate CA certificates carry a keyUsage.";
    NameConstraintsCritical = "RFC 5280 section 4.2.1.10", "nameConstraints are critical.";
    NameConstraintsNeedCa = "RFC 5280 section 4.2.1.10", "nameConstraints appear only in CA certificates.";
    NameConstraintsForm = "RFC 5280 section 4.2.1.10", "Subtrees are well formed: no leading period in a DNS subtree, contiguous masks.";
    PolicyLimitsCritical = "RFC 5280 sections 4.2.1.11 and 4.2.1.14", "policyConstraints and inhibitAnyPolicy are critical.";
    SubjectAltNameForm = "RFC 5280 section 4.2.1.6", "Addresses have 4 or 16 octets, URIs are absolute, mailboxes have a local part and a host.";
    SubjectAltNameCriticality = "RFC 5280 section 4.2.1.6, CA/Browser Forum BR section 7.1.2.7.12", "subjectAltName is critical exactly when the subject is empty.";
    DnsNameSyntax = "RFC 5280 section 4.2.1.6, RFC 1034 section 3.5", "DNS names consist of letters, digits and hyphens, with a wildcard only as the whole leftmost label and A-labels that are such.";
    CommonNameInSubjectAltName = "CA/Browser Forum BR section 7.1.4.3", "A common name that spells one of the subjectAltName values, or a host or address in a form that needs care, is a copy of one, character for character.";
    PublicSuffixWildcard = "CA/Browser Forum BR section 3.2.2.6", "A wildcard does not stand for all names below a public suffix.";
    RsaModulusWholeOctets = "CA/Browser Forum BR section 6.1.5", "The size of an RSA modulus is a multiple of 8 bits.";
    RsaExponent = "CA/Browser Forum BR section 6.1.6", "The RSA public exponent of a certificate that is no root's is at least 2^16 + 1.";
    PublicKeyAlgorithm = "CA/Browser Forum BR section 7.1.3.1", "Public keys are RSA keys without restriction, or on the curves P-256, P-384 and P-521.";
    AnchorVersion = "CA/Browser Forum BR section 7.1.1", "Root certificates are of version 3.";
    UniqueIdentifiers = "RFC 5280 section 4.1.2.8", "Certificates carry no unique identifiers.";
    AuthorityInfoAccessForm = "RFC 5280 section 4.2.2.1", "authorityInfoAccess is not critical.";
    KeyUsageNotEmpty = "RFC 5280 section 4.2.1.3", "A keyUsage allows something: at least one bit is set.";
    DistributionPointForm = "RFC 5280 section 4.2.1.13", "Each of the cRLDistributionPoints has a name or a CRL issuer, and can be read.";
    CrlAuthorityKeyIdentifier = "RFC 5280 section 5.2.1", "A CRL that is to call a certificate good has an authority key identifier.";
}

impl Rule {
    /// Rules beyond path validation itself (RFC 5280 section 6.1): the profile of RFC 5280 section 4 and of the
    /// CA/Browser Forum. [`Policy::strict`](crate::Policy::strict) asks for all but [`CaAsLeaf`](Rule::CaAsLeaf).
    #[must_use]
    pub fn is_profile(self) -> bool {
        self >= Rule::CaAsLeaf || self == Rule::GeneralizedTimeBefore2050 || self == Rule::SerialNumber
    }

    /// Whether a [`Policy`](crate::Policy) may ask for the rule or lift it: the profile rules, and
    /// [`DigitalSignature`](Rule::DigitalSignature), which TLS asks for and path validation does not.
    #[must_use]
    pub fn is_optional(self) -> bool {
        self.is_profile() || self == Rule::DigitalSignature
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of rules. Copied by value; empty by default.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct RuleSet(u128);

impl RuleSet {
    /// No rule.
    #[must_use]
    pub const fn empty() -> Self {
        Self(0)
    }

    /// The set with `rule` in it.
    #[must_use]
    pub const fn with(self, rule: Rule) -> Self {
        Self(self.0 | Self::bit(rule))
    }

    /// The set without `rule`.
    #[must_use]
    pub const fn without(self, rule: Rule) -> Self {
        Self(self.0 & !Self::bit(rule))
    }

    /// The set without the rules of another.
    pub(crate) const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `rule` is in the set.
    #[must_use]
    #[inline]
    pub const fn contains(self, rule: Rule) -> bool {
        self.0 & Self::bit(rule) != 0
    }

    /// Whether the set has no rule.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rules of the set.
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.iter().copied().filter(move |&rule| self.contains(rule))
    }

    #[allow(clippy::as_conversions, reason = "discriminant of an enumeration without fields, below 128")]
    const fn bit(rule: Rule) -> u128 {
        1u128 << (rule as u8 & 127)
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Rule> for RuleSet {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        rules.into_iter().fold(Self::empty(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_section_and_an_explanation_and_a_bit_of_its_own() {
        assert!(Rule::ALL.len() <= 128);
        let mut set = RuleSet::empty();
        for &rule in Rule::ALL {
            assert!(!set.contains(rule), "{rule}");
            set = set.with(rule);
            assert!(rule.section().contains("section"), "{rule}");
            assert!(rule.explain().ends_with('.'), "{rule}");
        }
        assert_eq!(set.iter().count(), Rule::ALL.len());
        assert!(!set.without(Rule::Signature).contains(Rule::Signature));
    }
}
