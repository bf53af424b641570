//! The record layer beside the raw AEAD of the same library: same algorithm, same size, same memory traffic, same run.
//!
//! `cargo bench -p oxtls-benches --bench record` gives criterion's numbers, then a table of speeds as a percentage of
//! the raw AEAD's, from interleaved rounds: that table is what counts. `-- ratios` gives the tables alone, `-- versions`
//! the one of TLS 1.2 beside TLS 1.3.

use std::hint::black_box;
use std::io::IoSlice;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use oxtls_benches::ratio::{Contender, speed};
use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, FixedIv};
use oxtls_crypto::{Hash, Secret};
use oxtls_record::{
    ApplicationDataMode, ContentType, Mode, ReadKey, Reader, Record, WriteKey, Writer,
    limits::{MAX_FRAGMENT, PROTECTED_OVERHEAD, RESERVED_RECORDS},
};

const SUITES: [AeadAlgorithm; 3] =
    [AeadAlgorithm::Aes128Gcm, AeadAlgorithm::Aes256Gcm, AeadAlgorithm::ChaCha20Poly1305];
const SIZES: [usize; 3] = [100, 1024, MAX_FRAGMENT];
const MIB: usize = 1 << 20;
const WINDOWS: [usize; 5] = [4 << 10, 16 << 10, 64 << 10, 256 << 10, MIB + 65 * PROTECTED_OVERHEAD];
const TAG_LEN: usize = 16;

fn main() {
    if std::env::args().any(|arg| arg == "versions") {
        print_versions();
        return;
    }
    let table_only = std::env::args().any(|arg| arg == "ratios");
    if !table_only {
        let mut criterion = Criterion::default()
            .sample_size(20)
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_secs(1))
            .configure_from_args();
        for algorithm in SUITES {
            records(&mut criterion, algorithm);
        }
        windows(&mut criterion);
        criterion.final_summary();
    }
    // As a test, or when only listed, the numbers would mean nothing.
    if !std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        print_table();
        print_versions();
    }
}

fn records(criterion: &mut Criterion, algorithm: AeadAlgorithm) {
    for size in SIZES {
        let mut group = criterion.benchmark_group(format!("record/{algorithm}/{size}"));
        group.throughput(Throughput::Bytes(size as u64));
        bench(&mut group, "seal", &mut Seal::new(Version::Tls13, algorithm, size));
        bench(
            &mut group,
            "seal_vectored, of pieces",
            &mut SealPieces(Seal::new(Version::Tls13, algorithm, size)),
        );
        bench(&mut group, "seal, raw", &mut RawSeal::new(algorithm, size));
        bench(&mut group, "open", &mut Open::new(Version::Tls13, algorithm, size));
        bench(&mut group, "open, raw", &mut RawOpen::new(algorithm, size));
        bench(&mut group, "open_into", &mut OpenInto(Open::new(Version::Tls13, algorithm, size)));
        bench(&mut group, "open_into, raw", &mut RawOpenInto(RawOpen::new(algorithm, size)));
        group.finish();
    }
}

fn windows(criterion: &mut Criterion) {
    let algorithm = AeadAlgorithm::Aes128Gcm;
    let mut group = criterion.benchmark_group(format!("record/{algorithm}/1 MiB by window"));
    group.throughput(Throughput::Bytes(MIB as u64));
    for window in WINDOWS {
        bench(&mut group, &format!("seal through {window}"), &mut SealMiB::new(algorithm, window));
    }
    bench(&mut group, "seal, raw", &mut RawSealMiB::new(algorithm));
    group.finish();
}

fn bench(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, contender: &mut dyn Contender) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| contender.run(usize::try_from(iterations).unwrap()));
    });
}

fn print_table() {
    let rounds = 301;
    println!("\nSpeed as % of the raw AEAD at the same size (medians of {rounds} interleaved rounds)");
    println!("{:20} {:>7} {:>8} {:>8} {:>10}", "", "bytes", "seal", "open", "open_into");
    for algorithm in SUITES {
        for size in SIZES {
            // About half a megabyte a round, so that a round outlasts the clock's grain and not the machine's mood.
            let units = (MIB / 2 / size).min(2000);
            let seal = speed(
                &mut Seal::new(Version::Tls13, algorithm, size),
                &mut RawSeal::new(algorithm, size),
                rounds,
                units,
            );
            let open = speed(
                &mut Open::new(Version::Tls13, algorithm, size),
                &mut RawOpen::new(algorithm, size),
                rounds,
                units,
            );
            let open_into = speed(
                &mut OpenInto(Open::new(Version::Tls13, algorithm, size)),
                &mut RawOpenInto(RawOpen::new(algorithm, size)),
                rounds,
                units,
            );
            println!(
                "{:20} {size:>7} {:>8.1} {:>8.1} {:>10.1}",
                algorithm.to_string(),
                seal * 100.0,
                open * 100.0,
                open_into * 100.0
            );
        }
    }
    println!("\nSealing 1 MiB with AES-128-GCM window by window");
    for window in WINDOWS {
        let algorithm = AeadAlgorithm::Aes128Gcm;
        let seal = speed(&mut SealMiB::new(algorithm, window), &mut RawSealMiB::new(algorithm), rounds, 1);
        println!("window of {window:>8} bytes {:>8.1}", seal * 100.0);
    }
}

/// TLS 1.2's records beside TLS 1.3's: the same algorithm, the same sizes, the same run.
fn print_versions() {
    let rounds = 301;
    println!("\nSpeed of TLS 1.2 as % of TLS 1.3's (medians of {rounds} interleaved rounds)");
    println!("{:20} {:>7} {:>8} {:>8} {:>10}", "", "bytes", "seal", "open", "open_into");
    let (old, new) = (Version::Tls12, Version::Tls13);
    for algorithm in SUITES {
        for size in SIZES {
            let units = (MIB / 2 / size).min(2000);
            let seal = |version| Seal::new(version, algorithm, size);
            let open = |version| Open::new(version, algorithm, size);
            let speeds = [
                speed(&mut seal(old), &mut seal(new), rounds, units),
                speed(&mut open(old), &mut open(new), rounds, units),
                speed(&mut OpenInto(open(old)), &mut OpenInto(open(new)), rounds, units),
            ];
            let [seal, open, open_into] = speeds.map(|speed| speed * 100.0);
            println!("{:20} {size:>7} {seal:>8.1} {open:>8.1} {open_into:>10.1}", algorithm.to_string());
        }
    }
}

/// Whose records.
#[derive(Clone, Copy)]
enum Version {
    Tls12,
    Tls13,
}

impl Version {
    /// Bytes that a record has beside its plaintext.
    fn overhead(self, algorithm: AeadAlgorithm) -> usize {
        match (self, algorithm) {
            (Self::Tls13, _) => PROTECTED_OVERHEAD,
            (Self::Tls12, AeadAlgorithm::ChaCha20Poly1305) => 5 + TAG_LEN,
            (Self::Tls12, _) => 5 + 8 + TAG_LEN,
        }
    }

    fn keys(self, algorithm: AeadAlgorithm) -> (WriteKey, ReadKey) {
        match self {
            Self::Tls12 => {
                let key = AeadKey::new(algorithm, &[9; 32][..algorithm.key_len()]).unwrap();
                let iv = FixedIv::new(algorithm, &[7; 12][..algorithm.tls12_fixed_iv_len()]).unwrap();
                let read = ReadKey::tls12(algorithm, &key, &iv).unwrap();
                (WriteKey::tls12(algorithm, &key, &iv).unwrap(), read)
            }
            Self::Tls13 => {
                let secret = || Secret::new(&[9; 32]).unwrap();
                let read = ReadKey::tls13(algorithm, Hash::Sha256, secret()).unwrap();
                (WriteKey::tls13(algorithm, Hash::Sha256, secret()).unwrap(), read)
            }
        }
    }

    fn pair(self, algorithm: AeadAlgorithm) -> (Writer, Reader) {
        let (write, read) = self.keys(algorithm);
        let (mut writer, mut reader) = (Writer::new(), Reader::new());
        writer.install(write);
        reader.install(read);
        reader.set_mode(Mode { application_data: ApplicationDataMode::Accept, ..Mode::default() });
        (writer, reader)
    }
}

/// Both ends of one direction.
struct Ends {
    version: Version,
    algorithm: AeadAlgorithm,
    writer: Writer,
    reader: Reader,
}

impl Ends {
    fn new(version: Version, algorithm: AeadAlgorithm) -> Self {
        let (writer, reader) = version.pair(algorithm);
        Self { version, algorithm, writer, reader }
    }

    /// Makes room for `records` under the key's usage limit, which a bench reaches and a connection hardly ever.
    fn refresh(&mut self, records: usize) {
        if self.writer.records_left() < records as u64 + RESERVED_RECORDS {
            (self.writer, self.reader) = self.version.pair(self.algorithm);
        }
    }
}

/// The AEAD itself, with the least that a protocol needs around it: a nonce that counts.
struct Raw {
    key: LessSafeKey,
    next: u64,
}

impl Raw {
    fn new(algorithm: AeadAlgorithm) -> Self {
        let raw = match algorithm {
            AeadAlgorithm::Aes128Gcm => &AES_128_GCM,
            AeadAlgorithm::Aes256Gcm => &AES_256_GCM,
            AeadAlgorithm::ChaCha20Poly1305 => &CHACHA20_POLY1305,
        };
        let key = UnboundKey::new(raw, &[9; 32][..algorithm.key_len()]).unwrap();
        Self { key: LessSafeKey::new(key), next: 0 }
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.next.to_be_bytes());
        self.next += 1;
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&mut self, in_out: &mut [u8], tag: &mut [u8; TAG_LEN]) {
        let nonce = self.nonce();
        *tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from([23; 5]), in_out)
            .unwrap()
            .as_ref()
            .try_into()
            .unwrap();
    }
}

struct Seal {
    ends: Ends,
    plaintext: Vec<u8>,
    out: Vec<u8>,
}

impl Seal {
    fn new(version: Version, algorithm: AeadAlgorithm, size: usize) -> Self {
        let out = vec![0; size + version.overhead(algorithm)];
        Self { ends: Ends::new(version, algorithm), plaintext: vec![5; size], out }
    }
}

impl Contender for Seal {
    fn run(&mut self, units: usize) -> Duration {
        self.ends.refresh(units);
        let start = Instant::now();
        for _ in 0..units {
            let plaintext = black_box(&self.plaintext[..]);
            black_box(self.ends.writer.seal(ContentType::ApplicationData, plaintext, &mut self.out).unwrap());
        }
        start.elapsed()
    }
}

/// The bytes of a piece.
const PIECE: usize = 64;

/// The same record, of many small pieces.
struct SealPieces(Seal);

impl Contender for SealPieces {
    fn run(&mut self, units: usize) -> Duration {
        let Seal { ends, plaintext, out } = &mut self.0;
        ends.refresh(units);
        let pieces: Vec<_> = plaintext.chunks(PIECE).map(IoSlice::new).collect();
        let start = Instant::now();
        for _ in 0..units {
            let pieces = black_box(&pieces[..]);
            black_box(ends.writer.seal_vectored(ContentType::ApplicationData, pieces, out).unwrap());
        }
        start.elapsed()
    }
}

struct RawSeal {
    raw: Raw,
    in_out: Vec<u8>,
    tag: [u8; TAG_LEN],
}

impl RawSeal {
    fn new(algorithm: AeadAlgorithm, size: usize) -> Self {
        Self { raw: Raw::new(algorithm), in_out: vec![5; size], tag: [0; TAG_LEN] }
    }
}

impl Contender for RawSeal {
    fn run(&mut self, units: usize) -> Duration {
        let start = Instant::now();
        for _ in 0..units {
            self.raw.seal(black_box(&mut self.in_out), &mut self.tag);
        }
        black_box(&self.tag);
        start.elapsed()
    }
}

/// The bytes of records that are made ahead, to be opened against the clock.
const BATCH_BYTES: usize = 256 << 10;

fn batch(size: usize) -> usize {
    (BATCH_BYTES / size).clamp(1, 256)
}

struct Open {
    ends: Ends,
    plaintext: Vec<u8>,
    wire: Vec<u8>,
    out: Vec<u8>,
}

impl Open {
    fn new(version: Version, algorithm: AeadAlgorithm, size: usize) -> Self {
        let wire = vec![0; batch(size) * (size + version.overhead(algorithm))];
        let ends = Ends::new(version, algorithm);
        Self { ends, plaintext: vec![5; size], wire, out: vec![0; size + 1] }
    }

    /// Times opening: all records of a batch, batch after batch.
    fn run(&mut self, units: usize, mut open: impl FnMut(&mut Reader, &mut [u8], &mut [u8])) -> Duration {
        let record = self.plaintext.len() + self.ends.version.overhead(self.ends.algorithm);
        let (mut elapsed, mut left) = (Duration::ZERO, units);
        while left > 0 {
            let records = left.min(batch(self.plaintext.len()));
            self.ends.refresh(records);
            for out in self.wire.chunks_mut(record).take(records) {
                self.ends.writer.seal(ContentType::ApplicationData, &self.plaintext, out).unwrap();
            }
            let start = Instant::now();
            for input in self.wire.chunks_mut(record).take(records) {
                open(&mut self.ends.reader, input, &mut self.out);
            }
            elapsed += start.elapsed();
            left -= records;
        }
        elapsed
    }
}

impl Contender for Open {
    fn run(&mut self, units: usize) -> Duration {
        self.run(units, |reader, input, _| {
            let opened = black_box(reader.open(input).unwrap());
            assert!(matches!(opened.record, Some(Record::ApplicationData(_))));
        })
    }
}

struct OpenInto(Open);

impl Contender for OpenInto {
    fn run(&mut self, units: usize) -> Duration {
        self.0.run(units, |reader, input, out| {
            let opened = black_box(reader.open_into(input, out).unwrap());
            assert!(matches!(opened.record, Some(Record::ApplicationData(_))));
        })
    }
}

struct RawOpen {
    sealing: Raw,
    opening: Raw,
    plaintext: Vec<u8>,
    wire: Vec<u8>,
    out: Vec<u8>,
}

impl RawOpen {
    fn new(algorithm: AeadAlgorithm, size: usize) -> Self {
        Self {
            sealing: Raw::new(algorithm),
            opening: Raw::new(algorithm),
            plaintext: vec![5; size],
            wire: vec![0; batch(size) * (size + TAG_LEN)],
            out: vec![0; size],
        }
    }

    fn run(&mut self, units: usize, mut open: impl FnMut(&mut Raw, &mut [u8], &mut [u8])) -> Duration {
        let record = self.plaintext.len() + TAG_LEN;
        let (mut elapsed, mut left) = (Duration::ZERO, units);
        while left > 0 {
            let records = left.min(batch(self.plaintext.len()));
            for out in self.wire.chunks_mut(record).take(records) {
                let (in_out, tag) = out.split_last_chunk_mut().unwrap();
                in_out.copy_from_slice(&self.plaintext);
                self.sealing.seal(in_out, tag);
            }
            let start = Instant::now();
            for input in self.wire.chunks_mut(record).take(records) {
                open(&mut self.opening, input, &mut self.out);
            }
            elapsed += start.elapsed();
            left -= records;
        }
        elapsed
    }
}

impl Contender for RawOpen {
    fn run(&mut self, units: usize) -> Duration {
        self.run(units, |raw, input, _| {
            let (in_out, tag) = input.split_last_chunk_mut::<TAG_LEN>().unwrap();
            let nonce = raw.nonce();
            raw.key.open_in_place_separate_tag(nonce, Aad::from([23; 5]), tag, in_out).unwrap();
            black_box(in_out);
        })
    }
}

struct RawOpenInto(RawOpen);

impl Contender for RawOpenInto {
    fn run(&mut self, units: usize) -> Duration {
        self.0.run(units, |raw, input, out| {
            let (ciphertext, tag) = input.split_last_chunk::<TAG_LEN>().unwrap();
            let nonce = raw.nonce();
            raw.key.open_separate_gather(nonce, Aad::from([23; 5]), ciphertext, tag, out).unwrap();
            black_box(out);
        })
    }
}

/// A mebibyte through a window that is used again and again.
struct SealMiB {
    ends: Ends,
    plaintext: Vec<u8>,
    window: Vec<u8>,
}

impl SealMiB {
    fn new(algorithm: AeadAlgorithm, window: usize) -> Self {
        let ends = Ends::new(Version::Tls13, algorithm);
        Self { ends, plaintext: vec![5; MIB], window: vec![0; window] }
    }
}

impl Contender for SealMiB {
    fn run(&mut self, units: usize) -> Duration {
        self.ends.refresh(units * 1000);
        let start = Instant::now();
        for _ in 0..units {
            let mut rest = black_box(&self.plaintext[..]);
            while !rest.is_empty() {
                let writer = &mut self.ends.writer;
                let sealed = writer.seal(ContentType::ApplicationData, rest, &mut self.window).unwrap();
                rest = &rest[sealed.taken..];
                black_box(&self.window);
            }
        }
        start.elapsed()
    }
}

/// The same mebibyte, sealed where it lies, in pieces of a full record's content.
struct RawSealMiB {
    raw: Raw,
    in_out: Vec<u8>,
    tag: [u8; TAG_LEN],
}

impl RawSealMiB {
    fn new(algorithm: AeadAlgorithm) -> Self {
        Self { raw: Raw::new(algorithm), in_out: vec![5; MIB], tag: [0; TAG_LEN] }
    }
}

impl Contender for RawSealMiB {
    fn run(&mut self, units: usize) -> Duration {
        let start = Instant::now();
        for _ in 0..units {
            for piece in self.in_out.chunks_mut(MAX_FRAGMENT) {
                self.raw.seal(black_box(piece), &mut self.tag);
            }
        }
        black_box(&self.tag);
        start.elapsed()
    }
}
