//! Random bytes from the library's generator (seeded by the operating system, reseeded on its own).
//!
//! A draw costs about half a microsecond whatever its size: draw once and cut the result up.

use aws_lc_rs::rand;

use crate::error::Error;

/// Fills `out` with random bytes.
///
/// # Errors
/// [`Error::RandomFailed`] if the generator failed; `out` must not be used then.
#[inline]
pub fn fill(out: &mut [u8]) -> Result<(), Error> {
    rand::fill(out).map_err(|_| Error::RandomFailed)
}

/// `N` random bytes.
///
/// # Errors
/// [`Error::RandomFailed`] if the generator failed.
#[inline]
pub fn array<const N: usize>() -> Result<[u8; N], Error> {
    let mut out = [0; N];
    fill(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_differ_and_fill_every_byte() {
        let (a, b) = (array::<32>().unwrap(), array::<32>().unwrap());
        assert_ne!(a, b);
        // 64 draws leave a given byte zero in all of them with probability 2^-512.
        let mut seen = [0u8; 32];
        for _ in 0..64 {
            for (seen, byte) in seen.iter_mut().zip(array::<32>().unwrap()) {
                *seen |= byte;
            }
        }
        assert!(seen.iter().all(|&byte| byte != 0));
        fill(&mut []).unwrap();
    }
}
