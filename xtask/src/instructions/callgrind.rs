//! A contender under callgrind, and what it wrote down.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::contenders;
use crate::run::Error;

/// One end of a connection: the calls of which are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

impl Side {
    /// The driver's function that this side's calls pass through, as its symbol has it.
    fn function(self) -> &'static str {
        match self {
            Self::Server => "12server_calls",
            Self::Client => "12client_calls",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// Instructions, by where they lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Rust: the library, the crates that it uses and the standard library.
    pub(crate) rust: u64,
    /// Shared libraries, which is to say malloc, memcpy and memset.
    pub(crate) system: u64,
    /// C and assembly of the program: the crypto library.
    pub(crate) crypto: u64,
}

impl Counts {
    pub(crate) fn without_crypto(self) -> u64 {
        self.rust.saturating_add(self.system)
    }

    pub(crate) fn all(self) -> u64 {
        self.without_crypto().saturating_add(self.crypto)
    }

    /// The same for each of so many.
    fn each(self, units: u64) -> Self {
        let each = |count: u64| count.saturating_add(units / 2).checked_div(units).unwrap_or_default();
        Self { rust: each(self.rust), system: each(self.system), crypto: each(self.crypto) }
    }
}

/// One question to a contender: which case, how long the writes (0: handshakes), how many.
pub(crate) type Question = (&'static str, usize, u64);

/// Whether there is one that counts.
pub(crate) fn is_there() -> bool {
    Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Asks `program` all `questions` under callgrind: what each unit of each took on this side. Files go to `folder`.
pub(crate) fn count(
    program: &Path,
    certificates: &Path,
    folder: &Path,
    side: Side,
    questions: &[Question],
) -> Result<Vec<Counts>, Error> {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let out = folder.join(format!("callgrind.{name}.{}", side.name()));
    let part = |number: usize| PathBuf::from(format!("{}.{number}", out.display()));
    for number in 1..=questions.len() {
        // One that an earlier run has left would pass for what this one did not write.
        let _ = fs::remove_file(part(number));
    }
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", "--collect-atstart=no"]);
    command.arg(format!("--log-file={}.log", out.display()));
    // Whole mangled names, and no lines: they tell Rust from C.
    command.args(["--demangle=no", "--compress-strings=no", "--compress-pos=no", "--dump-line=no"]);
    command.arg(format!("--toggle-collect=*{}*", side.function())).arg("--dump-after=*question_of_*");
    command.arg(format!("--callgrind-out-file={}", out.display())).arg(program).arg(certificates);
    let asked: Vec<String> =
        questions.iter().map(|(case, size, units)| format!("instructions {case} {size} {units}")).collect();
    let (_, answers) = contenders::ask(command, &asked)?;
    for (question, answer) in questions.iter().zip(&answers) {
        if *answer != question.2.to_string() {
            return Err(format!("{name}, {question:?}: {answer}").into());
        }
    }
    let counted = questions.iter().zip(1..).map(|((_, _, units), number)| {
        let path = part(number);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let counts = parse(&text, &name);
        let empty = counts.rust == 0 || counts.crypto == 0;
        if empty {
            Err(format!("{}: nothing was counted", path.display()).into())
        } else {
            Ok(counts.each(*units))
        }
    });
    counted.collect()
}

/// Adds up what functions took themselves; the lines behind `calls=` say what their callees took.
fn parse(text: &str, program: &str) -> Counts {
    let mut counts = Counts::default();
    let (mut own_object, mut rust, mut of_callee) = (false, false, false);
    for line in text.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            own_object = Path::new(object).file_name().is_some_and(|name| name == program);
        } else if let Some(function) = line.strip_prefix("fn=") {
            rust = function.starts_with("_ZN") || function.starts_with("_R");
        } else if line.starts_with("calls=") {
            of_callee = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse().ok()).unwrap_or_default();
            if of_callee {
                of_callee = false;
                continue;
            }
            let place = match (own_object, rust) {
                (true, true) => &mut counts.rust,
                (true, false) => &mut counts.crypto,
                (false, _) => &mut counts.system,
            };
            *place = place.saturating_add(cost);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_took_itself_counts_where_it_lies_and_what_its_callees_took_does_not() {
        let text = "version: 1\npositions: line\nevents: Ir\nsummary: 60\n\n\
            ob=/x/ours\nfl=???\nfn=_ZN3own4workE\n0 10\ncob=/lib/libc.so.6\ncfi=???\ncfn=memcpy\ncalls=3 0 \n0 20\n0 1\n\n\
            fn=aws_lc_0_1_SHA256\n0 5\ncfn=_RNvC3own\ncalls=1 0\n0 400\n\n\
            ob=/lib/libc.so.6\nfn=memcpy\n0 20\n\n\
            totals: 60\n";
        assert_eq!(parse(text, "ours"), Counts { rust: 11, system: 20, crypto: 5 });
    }

    #[test]
    fn a_unit_is_a_rounded_share() {
        let counts = Counts { rust: 29, system: 30, crypto: 31 };
        assert_eq!(counts.each(20), Counts { rust: 1, system: 2, crypto: 2 });
        assert_eq!(counts.each(0), Counts::default());
    }
}
