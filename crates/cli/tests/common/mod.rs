//! The built binary, run against itself: bounded in time, nothing left behind.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests may be blunt")]

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use oxtls::KeyAlgorithm;
use oxtls_test_pki::{Ca, LeafSpec};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that goes with its test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.file(name);
        std::fs::write(&path, contents).expect("a file can be written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An authority, a server of it called `localhost` and a client called `client.test`, as files.
pub(crate) struct Pki {
    pub(crate) folder: Folder,
    pub(crate) authority: Ca,
    pub(crate) ca: String,
    pub(crate) server: [String; 2],
    pub(crate) client: [String; 2],
}

impl Pki {
    pub(crate) fn new() -> Self {
        let folder = Folder::new();
        let authority = Ca::new("Test Authority", KeyAlgorithm::EcdsaP256);
        let ca = folder.write("ca.pem", authority.certificate_pem());
        let mut pki = Self { folder, authority, ca, server: Default::default(), client: Default::default() };
        pki.server = pki.issue("server", LeafSpec::server("localhost"));
        pki.client = pki.issue("client", LeafSpec::client("client.test").dns("client.test"));
        pki
    }

    /// A certificate of the authority and its key, as files.
    pub(crate) fn issue(&self, name: &str, spec: LeafSpec) -> [String; 2] {
        issue(&self.folder, &self.authority, name, spec)
    }

    /// The options of a server that shows its certificate.
    pub(crate) fn serve<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let mut options = vec!["--cert", &self.server[0], "--key", &self.server[1]];
        options.extend(more);
        options
    }
}

/// A certificate of an authority and its key, as files.
pub(crate) fn issue(folder: &Folder, authority: &Ca, name: &str, spec: LeafSpec) -> [String; 2] {
    let files = [folder.file(&format!("{name}.pem")), folder.file(&format!("{name}.key"))];
    authority.issue(spec).write(&files[0], &files[1]);
    files
}

/// What grows while a child writes.
#[derive(Clone, Default)]
pub(crate) struct Text(Arc<(Mutex<Vec<u8>>, Condvar)>);

impl Text {
    fn collect(&self, mut from: impl Read + Send + 'static) -> JoinHandle<()> {
        let text = self.clone();
        thread::spawn(move || {
            let mut piece = [0; 16 * 1024];
            while let Ok(len @ 1..) = from.read(&mut piece) {
                text.0.0.lock().unwrap().extend_from_slice(&piece[..len]);
                text.0.1.notify_all();
            }
        })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.0.lock().unwrap().clone()
    }

    /// Waits until it holds this; all of it, then.
    pub(crate) fn wait_for(&self, part: &str) -> String {
        let until = Instant::now() + PATIENCE;
        let mut bytes = self.0.0.lock().unwrap();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if text.contains(part) {
                return text;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {part:?} in {text}");
            bytes = self.0.1.wait_timeout(bytes, left).unwrap().0;
        }
    }
}

/// A command that runs; killed if its test ends before it does.
pub(crate) struct Running {
    child: Child,
    pub(crate) input: Option<ChildStdin>,
    pub(crate) out: Text,
    pub(crate) err: Text,
    readers: Vec<JoinHandle<()>>,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Whether it ended so, and all of this was said on standard error.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, said: &[&str]) -> &Self {
        assert_eq!(self.code, code, "{}", self.err);
        for part in said {
            assert!(self.err.contains(part), "no {part:?} in {}", self.err);
        }
        self
    }
}

/// The binary.
pub(crate) fn oxtls<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oxtls"));
    command.args(arguments);
    command
}

/// Starts it with its standard input open.
pub(crate) fn start<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Running {
    let mut command = oxtls(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let (out, err) = (Text::default(), Text::default());
    let readers = vec![out.collect(child.stdout.take().unwrap()), err.collect(child.stderr.take().unwrap())];
    Running { input: child.stdin.take(), child, out, err, readers }
}

/// Runs it to its end with this on standard input.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>, input: &[u8]) -> Ended {
    let mut running = start(arguments);
    let mut stdin = running.input.take().unwrap();
    let input = input.to_vec();
    // In a thread of its own: the command may write before it has read everything, or end without.
    let writer = thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let ended = running.end();
    writer.join().unwrap();
    ended
}

impl Running {
    /// Writes to its standard input.
    pub(crate) fn type_in(&mut self, text: &str) {
        let input = self.input.as_mut().expect("standard input is open");
        input.write_all(text.as_bytes()).and_then(|()| input.flush()).expect("the command reads");
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(&mut self) -> Ended {
        let code = self.wait().code().expect("an exit code");
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        Ended { code, out: self.out.bytes(), err: String::from_utf8_lossy(&self.err.bytes()).into_owned() }
    }

    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < until,
                "it goes on and on; it said: {}",
                String::from_utf8_lossy(&self.err.bytes())
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server on a port that was free.
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--port", "0"];
        arguments.extend(options);
        let running = start(arguments);
        let said = running.err.wait_for("listening on 127.0.0.1:");
        // The line may not be whole yet.
        let said = if said.ends_with('\n') { said } else { running.err.wait_for("\n") };
        let line = said.lines().find(|line| line.contains("listening on")).unwrap();
        let port = line.rsplit(':').next().unwrap().parse().expect("a port");
        Self { running, port }
    }

    pub(crate) fn target(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Runs a client of it.
    pub(crate) fn connect(&self, options: &[&str], input: &[u8]) -> Ended {
        run(self.arguments(options), input)
    }

    /// Starts a client of it.
    pub(crate) fn start_client(&self, options: &[&str]) -> Running {
        start(self.arguments(options))
    }

    fn arguments(&self, options: &[&str]) -> Vec<String> {
        let mut arguments = vec!["connect".to_owned(), self.target()];
        arguments.extend(options.iter().map(|option| (*option).to_owned()));
        arguments
    }

    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        self.running.end()
    }
}

/// A wire to a server that can be cut, without a word of TLS.
pub(crate) struct Wire {
    pub(crate) port: u16,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Self { port: listener.local_addr().unwrap().port(), sockets: Arc::default() };
        let sockets = Arc::clone(&wire.sockets);
        thread::spawn(move || {
            let (near, _) = listener.accept().unwrap();
            let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let clone = |socket: &TcpStream| socket.try_clone().unwrap();
            sockets.lock().unwrap().extend([clone(&near), clone(&far)]);
            let (mut up, mut down) = ((clone(&near), clone(&far)), (far, near));
            let thread = thread::spawn(move || io::copy(&mut up.0, &mut up.1));
            let _ = io::copy(&mut down.0, &mut down.1);
            let _ = thread.join();
        });
        wire
    }

    /// Both ends see the end of the transport.
    pub(crate) fn cut(&self) {
        for socket in self.sockets.lock().unwrap().iter() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// A server that reads a first line of bytes and answers with these.
pub(crate) fn answering(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _ = socket.read(&mut [0; 4096]);
        let _ = socket.write_all(answer);
        let _ = socket.shutdown(Shutdown::Write);
        let _ = io::copy(&mut socket, &mut io::sink());
    });
    port
}
