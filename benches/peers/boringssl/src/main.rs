//! BoringSSL by its binding `boring`, its state machine over a stream of memory.

mod returning;

use std::io::Write;

use boring::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslOptions, SslSessionCacheMode,
    SslStream, SslVerifyMode, SslVersion,
};
use driver::{Case, End, Failure, Files, Library, Pipe, SERVER_NAME};
use returning::Returning;

fn main() -> Result<(), Failure> {
    driver::run::<Boring>()
}

struct Boring {
    client: Client,
    server: SslContext,
    writes_tickets: bool,
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
    context.set_cipher_list(match case.rsa {
        true => "ECDHE-RSA-AES128-GCM-SHA256",
        false => "ECDHE-ECDSA-AES128-GCM-SHA256",
    })?;
    // In TLS 1.2 the curve of a certificate is one of the groups too.
    context.set_curves_list(match (case.hybrid, case.tls12) {
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
    let mut context = SslContext::builder(SslMethod::tls())?;
    common(&mut context, case)?;
    let (chain, key) = files.server(case.rsa);
    context.set_certificate_chain_file(chain)?;
    context.set_private_key_file(key, SslFiletype::PEM)?;
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    context.set_session_id_context(b"bench")?;
    if case.mutual {
        context.set_ca_file(files.root(false))?;
        context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    Ok(context.build())
}

impl Library for Boring {
    fn name() -> String {
        "BoringSSL (boring 5.4)".to_owned()
    }

    fn new(case: Case, files: &Files) -> Result<Self, Failure> {
        let client = if case.resumed {
            Client::Returning(Returning::new(|context| client(context, case, files))?)
        } else {
            let mut context = SslContext::builder(SslMethod::tls())?;
            client(&mut context, case, files)?;
            Client::New(context.build())
        };
        Ok(Self { client, server: server(case, files)?, writes_tickets: case.resumed && !case.tls12 })
    }

    fn client(&self) -> Result<impl End, Failure> {
        let context = match &self.client {
            Client::New(context) => context,
            Client::Returning(returning) => return Ok(Either::Returning(returning.connect()?)),
        };
        let mut ssl = Ssl::new(context)?;
        ssl.set_hostname(SERVER_NAME)?;
        ssl.param_mut().set_host(SERVER_NAME)?;
        Ok(Either::New(Theirs {
            stream: SslStream::new(ssl, Pipe)?,
            handshaking: true,
            client: true,
            writes_tickets: false,
        }))
    }

    fn server(&self) -> Result<impl End, Failure> {
        let ssl = Ssl::new(&self.server)?;
        let stream = SslStream::new(ssl, Pipe)?;
        Ok(Theirs { stream, handshaking: true, client: false, writes_tickets: self.writes_tickets })
    }
}

struct Theirs {
    stream: SslStream<Pipe>,
    handshaking: bool,
    client: bool,
    writes_tickets: bool,
}

impl Theirs {
    fn handshake(&mut self) -> Result<(), Failure> {
        let step = if self.client { self.stream.connect() } else { self.stream.accept() };
        match step {
            Ok(()) => {
                self.handshaking = false;
                // Its server keeps tickets back until it next writes: one byte, which is measured with them.
                if self.writes_tickets {
                    self.stream.write_all(&[0])?;
                }
            }
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
