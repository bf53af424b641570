//! `oxtls serve --help`.

/// The text; the exit codes follow it.
pub(super) const HELP: &str = "\
oxtls serve: a TLS server to try clients with

USAGE
    oxtls serve [OPTIONS]

    Without --www and --echo, what a client sends goes to standard output and what comes in on standard
    input goes to the client, one client after the other. The end of standard input closes our side, unless
    it was empty from the start; when the client closes, so do we, once a file or pipe on standard input has
    come to its end. Ctrl-C says goodbye to the clients (close_notify) and ends.

WHERE
    --port N                 listen on 127.0.0.1, port N (4433); 0: any free one. The first line on standard
                             error says which: oxtls: listening on 127.0.0.1:4433
    --listen ADDRESS:PORT    listen elsewhere, such as 0.0.0.0:4433 or [::]:4433

WHO WE ARE
    --cert FILE [--key FILE] a certificate chain, PEM, the own certificate first, and its key (without
                             --key: in the same file); repeat the pair, and the client's name (SNI) chooses
    --write-ca FILE          without --cert, a certificate is made on the spot, by an authority that is gone
                             with this process: write its certificate here, for clients to trust
    --name NAME              a name or address for the certificate that is made; may be repeated
                             (localhost, 127.0.0.1 and ::1)

WHO THE CLIENTS ARE
    --client-ca FILE         ask clients for a certificate, and refuse those that these authorities have not
                             issued; may be repeated
    --require-client-cert    refuse clients without one

WHAT TO DO
    --www                    answer each request with a page about its session (HTTP/1.0)
    --echo                   send everything back
    --once, --count N        end after one client, after N; the exit code tells how the first session that
                             failed did so
    --max-clients N          clients at a time with --www and --echo (64); more have to wait

SESSIONS AND EARLY DATA
    Clients that come back resume their sessions: of TLS 1.3 by tickets, whose
    keys go with this process, of TLS 1.2 by IDs, of which the last are kept.

    --tickets                seal sessions of TLS 1.2 into tickets too. Beware:
                             such a ticket holds the secret of its connection;
                             who steals the key reads recorded sessions
    --early-data[=BYTES]     take so much early data (0-RTT) of a client that
                             resumes (16384). Beware: it may be a replay; this
                             process refuses what it has taken before, another
                             one with the same files does not know

THE REST
    --alpn LIST              application protocols, in order of preference: h2,http/1.1
    --tls1.2, --tls1.3       only this version of TLS (without any of these: 1.2 and 1.3)
    --versions RANGE         the versions to speak: 1.2, 1.3 or 1.2-1.3
    --suites LIST            cipher suites of all versions: TLS_AES_128_GCM_SHA256,ECDHE_RSA_WITH_AES_128_GCM_SHA256;
                             a version that none of them is of is not spoken
    --groups LIST            key exchange groups: X25519MLKEM768,x25519,secp256r1
    --timeout SECONDS        for each handshake (10)
    --key-log FILE           append the sessions' secrets, for tools such as Wireshark: whoever has the file
                             can read the sessions
    -q, --quiet              say nothing on standard error but where it listens and what went wrong
    -h, --help               this text

EXAMPLES
    oxtls serve --www --write-ca ca.pem                       then: curl --cacert ca.pem https://localhost:4433/
    oxtls serve --echo --cert server.pem --key server.key --port 8443
    oxtls serve --client-ca ca.pem --require-client-cert --cert server.pem --key server.key
    oxtls serve --once --write-ca ca.pem <file                a file for: oxtls connect --ca ca.pem localhost:4433
    oxtls serve --cert a.pem --key a.key --cert b.pem --key b.key        two names, chosen by SNI

";
