//! `oxtls connect --help`.

/// The text; the exit codes follow it.
pub(super) const HELP: &str = "\
oxtls connect: a TLS session with a server, piped to standard input and output

USAGE
    oxtls connect [OPTIONS] HOST[:PORT]

    HOST is a name, an IPv4 address or an [IPv6 address]; PORT is 443 if it is not given. What comes in on
    standard input goes to the server, what the server sends goes to standard output, both at once. The end
    of standard input closes our side (close_notify); what the server still sends is read to its own end.
    What was negotiated, and what went wrong, is said on standard error.

WHO THE SERVER IS
    --ca FILE                trust the certificates of this PEM file; may be repeated. Without it the
                             platform's roots are trusted
    --name NAME              the name to ask for (SNI) and to find in the certificate, instead of HOST
    --no-sni                 verify the name, but do not send it
    --show-chain             print every certificate of the verified chain; if it is refused, the paths that
                             were tried and the rule that each one broke
    --insecure-accept-any    go on whoever the server is: ANYBODY between here and there can read and change
                             everything. What is wrong with the certificate is still said

WHO WE ARE
    --cert FILE [--key FILE] a certificate chain for servers that ask for one, PEM, the own certificate
                             first, and its key (without --key: in the same file); may be repeated

WHAT TO OFFER
    --alpn LIST              application protocols, in order of preference: h2,http/1.1
    --tls1.2, --tls1.3       only this version of TLS (without any of these: 1.2 and 1.3)
    --versions RANGE         the versions to offer: 1.2, 1.3 or 1.2-1.3
    --suites LIST            cipher suites of all versions: TLS_AES_128_GCM_SHA256,ECDHE_RSA_WITH_AES_128_GCM_SHA256;
                             a version that none of them is of is not offered
    --groups LIST            key exchange groups: X25519MLKEM768,x25519,secp256r1
    --key-shares LIST        the groups to send key shares of at once; none: have the server ask

SESSIONS AND EARLY DATA
    --session FILE           offer the session in FILE, if there is one and it
                             still passes, and keep the newest that the server
                             gives: one of TLS 1.3 is offered once. Who has the
                             file can pose as this client
    --tickets                keep sessions of TLS 1.2 that are tickets, too, not
                             only those with an ID. Beware: who steals the key
                             of the server's tickets reads recorded sessions
    --early-data FILE        send FILE ahead of everything else, as early data
                             (0-RTT) if the session allows it. Beware: whoever
                             records it can deliver it again. What the server
                             does not take is sent after the handshake

THE REST
    -4, -6                   IPv4 only, IPv6 only
    --timeout SECONDS        for connecting and the handshake together (30)
    --keep-open              send no close_notify at the end of standard input: some servers answer only
                             as long as both sides are open, and with TLS 1.2 all of them
    --key-log FILE           append the session's secrets, for tools such as Wireshark: whoever has the file
                             can read the session
    -q, --quiet              say nothing on standard error but what went wrong
    -h, --help               this text

EXAMPLES
    oxtls connect example.com                                      type, and end with Ctrl-D
    printf 'GET / HTTP/1.0\\r\\nHost: example.com\\r\\n\\r\\n' | oxtls connect -q --keep-open example.com
    oxtls connect --show-chain --alpn h2 example.com </dev/null    who is it, and how far is it trusted
    oxtls connect --ca ca.pem --name db.internal 10.0.0.7:5433
    oxtls connect --ca ca.pem --cert me.pem --key me.key localhost:4433 <request >answer
    oxtls connect --session s --early-data get.txt --keep-open example.com

";
