//! The traces of RFC 8448, for tests.

/// One trace: names and values, in the order of the RFC.
pub(crate) struct Trace(Vec<(&'static str, Vec<u8>)>);

impl Trace {
    /// The trace of section 3, "Simple 1-RTT Handshake".
    pub(crate) fn simple() -> Self {
        Self::of(include_str!("../tests/data/rfc8448.txt"), "simple")
    }

    /// The trace of section 5, "HelloRetryRequest".
    pub(crate) fn retry() -> Self {
        Self::of(include_str!("../tests/data/rfc8448.txt"), "retry")
    }

    /// The trace of section 6, "Client Authentication".
    pub(crate) fn client_auth() -> Self {
        Self::of(include_str!("../tests/data/rfc8448.txt"), "client-auth")
    }

    /// The trace of section 4, "Resumed 0-RTT Handshake".
    pub(crate) fn resumption() -> Self {
        Self::of(include_str!("../tests/data/rfc8448-resumption.txt"), "resumption")
    }

    fn of(text: &'static str, section: &str) -> Self {
        let header = format!("[{section}]");
        let values = text
            .lines()
            .skip_while(|line| *line != header)
            .skip(1)
            .take_while(|line| !line.starts_with('['))
            .filter_map(|line| line.split_once(" = "))
            .map(|(name, value)| (name, unhex(value)));
        Self(values.collect())
    }

    /// The first value of this name.
    pub(crate) fn get(&self, name: &str) -> &[u8] {
        self.nth(name, 0)
    }

    /// A later value of this name.
    pub(crate) fn nth(&self, name: &str, n: usize) -> &[u8] {
        let found = self.0.iter().filter(|(of, _)| *of == name).nth(n);
        &found.unwrap_or_else(|| panic!("no {name} in the trace")).1
    }
}

pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
