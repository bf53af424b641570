//! Names under which anybody may register (RFC 8499: public suffix), for wildcards that would cover them all.

/// Which names are public suffixes, for [`Rule::PublicSuffixWildcard`](crate::Rule::PublicSuffixWildcard).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PublicSuffixes {
    /// Single labels alone: `com`.
    #[default]
    SingleLabels,
    /// Those of publicsuffix.org too, the private part of its list included: `co.uk`, `s3.amazonaws.com`. The list is
    /// the one that was compiled in.
    #[cfg(feature = "public-suffix")]
    List,
}

impl PublicSuffixes {
    /// Whether `name` is one.
    pub(crate) fn contains(self, name: &str) -> bool {
        match self {
            Self::SingleLabels => !name.contains('.'),
            #[cfg(feature = "public-suffix")]
            Self::List => {
                let name = name.to_ascii_lowercase();
                let listed = |suffix: psl::Suffix<'_>| suffix.is_known() && suffix == name.as_str();
                Self::SingleLabels.contains(&name) || psl::suffix(name.as_bytes()).is_some_and(listed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_labels_always_are() {
        assert!(PublicSuffixes::SingleLabels.contains("com"));
        assert!(!PublicSuffixes::SingleLabels.contains("co.uk"));
    }

    #[cfg(feature = "public-suffix")]
    #[test]
    fn the_list_knows_registries_and_hosters() {
        for name in ["com", "test", "co.uk", "CO.UK", "s3.amazonaws.com", "github.io", "xn--55qx5d.cn"] {
            assert!(PublicSuffixes::List.contains(name), "{name}");
        }
        for name in ["example.co.uk", "amazon.com", "a.s3.amazonaws.com", "internal.corp", "a.test"] {
            assert!(!PublicSuffixes::List.contains(name), "{name}");
        }
    }
}
