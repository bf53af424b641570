//! A third party's view of a scenario: Wireshark's tools record what passes on the loopback interface and decrypt it
//! with our key log (RFC 9850).

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::Error;
use super::process::Process;

/// How long packets may be on their way from the kernel to the recorder.
const SETTLING: Duration = Duration::from_millis(300);

/// A recording that runs.
pub(super) struct Capture {
    dumpcap: Process,
    folder: PathBuf,
}

/// What each side sent, as the third party read it.
pub(super) struct Plaintext {
    pub(super) client: Vec<u8>,
    pub(super) server: Vec<u8>,
}

/// Whether this machine can record and decrypt; the error says what is missing.
pub(super) fn check(folder: &Path) -> Result<(), Error> {
    tshark(&["--version"])?;
    fs::create_dir_all(folder)?;
    // Any port will do: it is the recording itself that may not be allowed.
    Capture::start(1, folder, Instant::now() + Duration::from_secs(10))?.stop()
}

impl Capture {
    /// Records what passes at `port`, into `folder`. Returns when the recording has begun.
    pub(super) fn start(port: u16, folder: &Path, deadline: Instant) -> Result<Self, Error> {
        let mut command = Command::new("dumpcap");
        command.args(["-q", "-i", "lo", "-f", &format!("tcp port {port}"), "-w"]).arg(recording(folder));
        let dumpcap = Process::start(&mut command)?;
        // It names its file once the interface is open and the filter set.
        dumpcap.wait_for_words("File: ", deadline)?;
        Ok(Self { dumpcap, folder: folder.to_owned() })
    }

    fn stop(&mut self) -> Result<(), Error> {
        thread::sleep(SETTLING);
        self.dumpcap.interrupt()?;
        self.dumpcap.exit(Instant::now() + Duration::from_secs(10)).map(drop)
    }

    /// Ends the recording and decrypts the connection from `client` to `server` with the lines of a key log.
    pub(super) fn decrypt(
        &mut self,
        key_log: &str,
        client: SocketAddr,
        server: SocketAddr,
    ) -> Result<Plaintext, Error> {
        self.stop()?;
        let keys = self.folder.join("our.keys");
        fs::write(&keys, key_log)?;
        let recording = recording(&self.folder);
        let port = server.port();
        let text = tshark(&[
            "-r",
            &recording.display().to_string(),
            "-o",
            &format!("tls.keylog_file:{}", keys.display()),
            "-d",
            &format!("tcp.port=={port},tls"),
            "-q",
            "-z",
            &format!("follow,tls,raw,{client},{server}"),
        ])?;
        parse(&text, client)
    }
}

fn recording(folder: &Path) -> PathBuf {
    folder.join("recording.pcapng")
}

fn tshark(arguments: &[&str]) -> Result<String, Error> {
    let output = Command::new("tshark")
        .args(arguments)
        .output()
        .map_err(|error| format!("tshark does not run: {error}"))?;
    if !output.status.success() {
        return Err(format!("tshark failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `Node 0: address`, `Node 1: address`, then lines of hexadecimal digits: those of node 1 begin with a tab.
fn parse(text: &str, client: SocketAddr) -> Result<Plaintext, Error> {
    let first = text.lines().find_map(|line| line.strip_prefix("Node 0: "));
    let first = first.ok_or_else(|| format!("tshark found no such connection: {text:?}"))?;
    let (mut zero, mut one) = (Vec::new(), Vec::new());
    for line in text.lines().skip_while(|line| !line.starts_with("Node 1: ")).skip(1) {
        match line.strip_prefix('\t') {
            Some(digits) => one.extend(bytes(digits)?),
            None if line.starts_with("==") => break,
            None => zero.extend(bytes(line)?),
        }
    }
    let client_is_first = first == client.to_string();
    Ok(if client_is_first {
        Plaintext { client: zero, server: one }
    } else {
        Plaintext { client: one, server: zero }
    })
}

fn bytes(digits: &str) -> Result<Vec<u8>, Error> {
    let pairs =
        digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16));
    Ok(pairs.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
===================================================================
Follow: tls,raw
Filter: tcp.stream eq 0
Node 0: 127.0.0.1:40000
Node 1: 127.0.0.1:4433
6869
\t6f6b
0a
===================================================================
";

    #[test]
    fn each_side_is_told_from_the_other_whichever_is_named_first() {
        let client = "127.0.0.1:40000".parse().expect("an address");
        let read = parse(TEXT, client).expect("a connection");
        assert_eq!((read.client.as_slice(), read.server.as_slice()), (&b"hi\n"[..], &b"ok"[..]));
        let read = parse(TEXT, "127.0.0.1:4433".parse().expect("an address")).expect("a connection");
        assert_eq!((read.client.as_slice(), read.server.as_slice()), (&b"ok"[..], &b"hi\n"[..]));
        assert!(parse("nothing", client).is_err());
    }
}
