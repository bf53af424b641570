//! OpenSSL by its binding `openssl`, its state machine over a stream of memory. Which OpenSSL, the build says: this
//! file is `openssl-4` as well.

mod returning;

use std::io::Write;

use driver::{Case, End, Failure, Files, Library, Pipe, SERVER_NAME};
use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslOptions, SslSessionCacheMode,
    SslStream, SslVerifyMode, SslVersion,
};
use openssl::version;
use returning::Returning;

fn main() -> Result<(), Failure> {
    driver::run::<OpenSsl>()
}

struct OpenSsl {
    client: Client,
    server: SslContext,
}

enum Client {
    New(SslContext),
    Returning(Returning),
}

/// What both ends are told.
fn common(context: &mut SslContextBuilder, case: Case) -> Result<(), Failure> {
    let version = if case.tls12 { SslVersion::TLS1_2 } else { SslVersion::TLS1_3 };
    context.set_min_proto_version(Some(version))?;
    context.set_max_proto_version(Some(version))?;
    context.set_ciphersuites("TLS_AES_128_GCM_SHA256")?;
    context.set_cipher_list(match case.rsa {
        true => "ECDHE-RSA-AES128-GCM-SHA256",
        false => "ECDHE-ECDSA-AES128-GCM-SHA256",
    })?;
    // In TLS 1.2 the curve of a certificate is one of the groups too.
    context.set_groups_list(match (case.hybrid, case.tls12) {
        (true, _) => "X25519MLKEM768",
        (false, true) => "X25519:P-256",
        (false, false) => "X25519",
    })?;
    if !case.resumed {
        context.set_options(SslOptions::NO_TICKET);
        context.set_session_cache_mode(SslSessionCacheMode::OFF);
    }
    Ok(())
}

fn client(context: &mut SslContextBuilder, case: Case, files: &Files) -> Result<(), Failure> {
    common(context, case)?;
    context.set_ca_file(files.root(case.rsa))?;
    context.set_verify(SslVerifyMode::PEER);
    if case.mutual {
        let (chain, key) = files.client();
        context.set_certificate_chain_file(chain)?;
        context.set_private_key_file(key, SslFiletype::PEM)?;
    }
    Ok(())
}

fn server(case: Case, files: &Files) -> Result<SslContext, Failure> {
    let mut context = SslContext::builder(SslMethod::tls_server())?;
    common(&mut context, case)?;
    let (chain, key) = files.server(case.rsa);
    context.set_certificate_chain_file(chain)?;
    context.set_private_key_file(key, SslFiletype::PEM)?;
    context.set_num_tickets(usize::from(case.resumed))?;
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    context.set_session_id_context(b"bench")?;
    if case.mutual {
        context.set_ca_file(files.root(false))?;
        context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    Ok(context.build())
}

impl Library for OpenSsl {
    fn name() -> String {
        version::version().split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    fn new(case: Case, files: &Files) -> Result<Self, Failure> {
        let client = if case.resumed {
            Client::Returning(Returning::new(|context| client(context, case, files))?)
        } else {
            let mut context = SslContext::builder(SslMethod::tls_client())?;
            client(&mut context, case, files)?;
            Client::New(context.build())
        };
        Ok(Self { client, server: server(case, files)? })
    }

    fn client(&self) -> Result<impl End, Failure> {
        let context = match &self.client {
            Client::New(context) => context,
            Client::Returning(returning) => return Ok(Either::Returning(returning.connect()?)),
        };
        let mut ssl = Ssl::new(context)?;
        ssl.set_hostname(SERVER_NAME)?;
        ssl.param_mut().set_host(SERVER_NAME)?;
        ssl.set_connect_state();
        Ok(Either::New(Theirs { stream: SslStream::new(ssl, Pipe)?, handshaking: true, client: true }))
    }

    fn server(&self) -> Result<impl End, Failure> {
        let mut ssl = Ssl::new(&self.server)?;
        ssl.set_accept_state();
        Ok(Theirs { stream: SslStream::new(ssl, Pipe)?, handshaking: true, client: false })
    }
}

struct Theirs {
    stream: SslStream<Pipe>,
    handshaking: bool,
    client: bool,
}

impl Theirs {
    fn handshake(&mut self) -> Result<(), Failure> {
        match self.stream.do_handshake() {
            Ok(()) => self.handshaking = false,
            Err(error) if error.code() == ErrorCode::WANT_READ => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn take(&mut self) -> Result<usize, Failure> {
        if self.handshaking {
            self.handshake()?;
        }
        let mut out = [0; 16 * 1024];
        let mut received = 0;
        while !self.handshaking {
            match self.stream.ssl_read(&mut out) {
                Ok(read) => received += read,
                Err(error) if error.code() == ErrorCode::WANT_READ => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(received)
    }
}

impl End for Theirs {
    fn receive(&mut self, wire: &mut Vec<u8>) -> Result<usize, Failure> {
        Pipe::lend(wire, || self.take())
    }

    fn transmit(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        // Whatever came was answered when it came; a client's first flight answers nothing.
        if self.handshaking && self.client {
            self.handshake()?;
        }
        Pipe::collect(wire);
        Ok(())
    }

    fn send(&mut self, data: &[u8], wire: &mut Vec<u8>) -> Result<(), Failure> {
        Ok(Pipe::sending(wire, || self.stream.write_all(data))?)
    }

    fn is_handshaking(&self) -> bool {
        self.handshaking
    }

    fn resumed(&self) -> bool {
        self.stream.ssl().session_reused()
    }
}

/// A client, for the first time or again.
enum Either {
    New(Theirs),
    Returning(returning::Client),
}

impl End for Either {
    fn receive(&mut self, wire: &mut Vec<u8>) -> Result<usize, Failure> {
        match self {
            Self::New(client) => client.receive(wire),
            Self::Returning(client) => client.receive(wire),
        }
    }

    fn transmit(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        match self {
            Self::New(client) => client.transmit(wire),
            Self::Returning(client) => client.transmit(wire),
        }
    }

    fn send(&mut self, data: &[u8], wire: &mut Vec<u8>) -> Result<(), Failure> {
        match self {
            Self::New(client) => client.send(data, wire),
            Self::Returning(client) => client.send(data, wire),
        }
    }

    fn is_handshaking(&self) -> bool {
        match self {
            Self::New(client) => client.is_handshaking(),
            Self::Returning(client) => client.is_handshaking(),
        }
    }

    fn resumed(&self) -> bool {
        match self {
            Self::New(client) => client.resumed(),
            Self::Returning(client) => client.resumed(),
        }
    }

    fn close(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        match self {
            Self::New(client) => client.close(wire),
            Self::Returning(client) => client.close(wire),
        }
    }
}
