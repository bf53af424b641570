//! Certificate authorities and certificates made per run: no test depends on a checked-in key or date.
#![forbid(unsafe_code)]
