//! BoringSSL by its binding `boring`, its state machine over a stream of memory.

use std::io::Write;

use boring::ssl::{
    ErrorCode, Ssl, SslConnector, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslOptions,
    SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};
use driver::{Case, Either, End, Failure, Files, Library, Over, Pipe, SERVER_NAME, Stream};
use hyper_boring::{HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use polled::{Dial, Memory, Returning};

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
    Returning(Returning<HttpsConnector<Dial<TokioIo<Memory>>>>),
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

/// A client that comes back.
fn returning(case: Case, files: &Files) -> Result<Client, Failure> {
    let mut builder = SslConnector::builder(SslMethod::tls())?;
    client(&mut builder, case, files)?;
    let connector = HttpsConnector::with_connector(Dial(|| TokioIo::new(Memory)), builder)?;
    Ok(Client::Returning(Returning::new(connector)?))
}

impl Library for Boring {
    fn name() -> String {
        "BoringSSL (boring 5.4)".to_owned()
    }

    fn new(case: Case, files: &Files) -> Result<Self, Failure> {
        let client = if case.resumed {
            returning(case, files)?
        } else {
            let mut context = SslContext::builder(SslMethod::tls())?;
            client(&mut context, case, files)?;
            Client::New(context.build())
        };
        Ok(Self { client, server: server(case, files)?, writes_tickets: case.resumed && !case.tls12 })
    }

    fn client(&self) -> Result<impl End, Failure> {
        let stream = match &self.client {
            Client::New(context) => {
                let mut ssl = Ssl::new(context)?;
                ssl.set_hostname(SERVER_NAME)?;
                ssl.param_mut().set_host(SERVER_NAME)?;
                let stream = SslStream::new(ssl, Pipe)?;
                Either::One(Theirs { stream, client: true, writes_tickets: false })
            }
            Client::Returning(returning) => Either::Other(returning.connect(
                |stream| matches!(stream, MaybeHttpsStream::Https(stream) if stream.ssl().session_reused()),
            )),
        };
        Ok(Over::client(stream))
    }

    fn server(&self) -> Result<impl End, Failure> {
        let stream = SslStream::new(Ssl::new(&self.server)?, Pipe)?;
        Ok(Over::server(Theirs { stream, client: false, writes_tickets: self.writes_tickets }))
    }
}

struct Theirs {
    stream: SslStream<Pipe>,
    client: bool,
    writes_tickets: bool,
}

impl Stream for Theirs {
    fn handshake(&mut self) -> Result<bool, Failure> {
        let step = if self.client { self.stream.connect() } else { self.stream.accept() };
        match step {
            Ok(()) => {}
            Err(error) if error.code() == ErrorCode::WANT_READ => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        // Its server keeps tickets back until it next writes: one byte, which is measured with them.
        if self.writes_tickets {
            self.stream.write_all(&[0])?;
        }
        Ok(true)
    }

    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>, Failure> {
        match self.stream.ssl_read(into) {
            Ok(read) => Ok(Some(read)),
            Err(error) if error.code() == ErrorCode::WANT_READ => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.write_all(data)?)
    }

    fn resumed(&self) -> bool {
        self.stream.ssl().session_reused()
    }
}
