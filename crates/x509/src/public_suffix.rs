//! Names under which anybody may register (RFC 8499: public suffix), for wildcards that would cover them all.

/// Whether `name` is a public suffix: `com`, `co.uk`, `s3.amazonaws.com`. With the feature `public-suffix` the list of
/// publicsuffix.org says so, its private part included; without it only single labels count.
pub(crate) fn is_public_suffix(name: &str) -> bool {
    if !name.contains('.') {
        return true;
    }
    #[cfg(feature = "public-suffix")]
    {
        let name = name.to_ascii_lowercase();
        psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known() && suffix == name.as_str())
    }
    #[cfg(not(feature = "public-suffix"))]
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_labels_always_are() {
        assert!(is_public_suffix("com"));
        assert!(!is_public_suffix("example.com"));
    }

    #[cfg(feature = "public-suffix")]
    #[test]
    fn the_list_knows_registries_and_hosters() {
        for name in ["co.uk", "CO.UK", "s3.amazonaws.com", "github.io", "xn--55qx5d.cn"] {
            assert!(is_public_suffix(name), "{name}");
        }
        for name in ["example.co.uk", "amazon.com", "a.s3.amazonaws.com", "internal.corp", "a.test"] {
            assert!(!is_public_suffix(name), "{name}");
        }
    }
}
