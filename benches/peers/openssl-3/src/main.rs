//! OpenSSL by its binding `openssl`, its state machine over a stream of memory. Which OpenSSL, the build says: this
//! file is `openssl-4` as well.

use std::io::Write;

use driver::{Case, Either, End, Failure, Files, Library, Over, Pipe, SERVER_NAME, Stream};
use hyper_openssl::client::legacy::{HttpsConnector, MaybeHttpsStream};
use openssl::ssl::{
    ErrorCode, Ssl, SslConnector, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslOptions,
    SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};
use openssl::version;
use polled::{Dial, Memory, Returning};

fn main() -> Result<(), Failure> {
    driver::run::<OpenSsl>()
}

struct OpenSsl {
    client: Client,
    server: SslContext,
}

enum Client {
    New(SslContext),
    Returning(Returning<HttpsConnector<Dial<Memory>>>),
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

/// A client that comes back.
fn returning(case: Case, files: &Files) -> Result<Client, Failure> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    client(&mut builder, case, files)?;
    let connector = HttpsConnector::with_connector(Dial(|| Memory), builder)?;
    Ok(Client::Returning(Returning::new(connector)?))
}

impl Library for OpenSsl {
    fn name() -> String {
        version::version().split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    fn new(case: Case, files: &Files) -> Result<Self, Failure> {
        let client = if case.resumed {
            returning(case, files)?
        } else {
            let mut context = SslContext::builder(SslMethod::tls_client())?;
            client(&mut context, case, files)?;
            Client::New(context.build())
        };
        Ok(Self { client, server: server(case, files)? })
    }

    fn client(&self) -> Result<impl End, Failure> {
        let stream = match &self.client {
            Client::New(context) => {
                let mut ssl = Ssl::new(context)?;
                ssl.set_hostname(SERVER_NAME)?;
                ssl.param_mut().set_host(SERVER_NAME)?;
                ssl.set_connect_state();
                Either::One(Theirs(SslStream::new(ssl, Pipe)?))
            }
            Client::Returning(returning) => Either::Other(returning.connect(
                |stream| matches!(stream, MaybeHttpsStream::Https(stream) if stream.ssl().session_reused()),
            )),
        };
        Ok(Over::client(stream))
    }

    fn server(&self) -> Result<impl End, Failure> {
        let mut ssl = Ssl::new(&self.server)?;
        ssl.set_accept_state();
        Ok(Over::server(Theirs(SslStream::new(ssl, Pipe)?)))
    }
}

struct Theirs(SslStream<Pipe>);

impl Stream for Theirs {
    fn handshake(&mut self) -> Result<bool, Failure> {
        match self.0.do_handshake() {
            Ok(()) => Ok(true),
            Err(error) if error.code() == ErrorCode::WANT_READ => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>, Failure> {
        match self.0.ssl_read(into) {
            Ok(read) => Ok(Some(read)),
            Err(error) if error.code() == ErrorCode::WANT_READ => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        Ok(self.0.write_all(data)?)
    }

    fn resumed(&self) -> bool {
        self.0.ssl().session_reused()
    }
}
