//! `oxtls inspect --help`.

/// The text; the exit codes follow it.
pub(super) const HELP: &str = "\
oxtls inspect: what a chain of certificates is, whether it holds, and if not,
why

USAGE
    oxtls inspect [OPTIONS] CHAIN.pem

    CHAIN.pem has the peer's own certificate first and its CAs behind it, in
    any order; a single certificate in DER will do as well, and - is standard
    input. Each certificate is described; then comes the path that leads to a
    root, or every path that was tried, as a tree, with the rule that ended
    each, the section of the standard where it stands, the byte of the
    certificate, the likely cause and what to do about it. Nothing is fetched
    from anywhere. What is found goes to standard output, the verdict in one
    sentence to standard error if the chain does not hold.

WHAT TO TRUST
    --roots FILE      trust the certificates of this PEM file; may be
                      repeated. Without it the platform's roots are trusted
    --pin PIN         besides, one of these keys must be on the path: sha256/
                      and the base64 of the SHA-256 of a SubjectPublicKeyInfo,
                      as it is shown; may be repeated
    --exactly FILE    trust exactly the certificates of this file as a peer's
                      own, whoever issued them; may be repeated, goes with
                      neither of the above

WHAT TO ASK FOR
    --name NAME       the DNS name or address that must be in the certificate
    --purpose server|client
                      what the peer is (server); clients have no name that one
                      could ask for
    --at TIME         judge as of then: 2026-11-22, 2026-11-22T13:00:00Z (UTC)
                      or @SECONDS since 1970
    --strict          every rule of RFC 5280's profile and of the CA/Browser
                      Forum, too
    -h, --help        this text

WHAT IS KNOWN OF REVOCATION
    --crl FILE        a CRL, PEM or DER; may be repeated
    --ocsp FILE       the OCSP response that the peer would staple, DER
    --require-status  refuse the chain unless every certificate of it is known
                      not to be revoked. Otherwise what is not known is said

EXAMPLES
    oxtls inspect --name example.com chain.pem
    oxtls inspect --roots ca.pem --name db.internal --at 2027-01-01 chain.pem
    oxtls inspect --roots ca.pem --purpose client me.pem
    oxtls inspect --roots ca.pem --crl ca.crl --crl issuing.crl chain.pem
    openssl s_client -connect example.com:443 -showcerts </dev/null |
        oxtls inspect --name example.com -

";

#[cfg(test)]
mod tests {
    #[test]
    fn the_text_fits_a_terminal() {
        for line in super::HELP.lines() {
            assert!(line.len() <= 80, "{line}");
        }
    }
}
