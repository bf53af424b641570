//! UTCTime and GeneralizedTime as RFC 5280 section 4.1.2.5 profiles them, to signed seconds since 1970.
//!
//! `UnixTime` cannot hold the years before 1970 that certificates may carry, so validity is kept as `i64` seconds.

use crate::reader::{Element, ParseError, Parsed, Reader, at, tag};
use crate::rules::Rule;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// Reads one `Time` (RFC 5280 section 4.1): UTCTime until 2049, GeneralizedTime after.
pub(crate) fn time(reader: &mut Reader<'_>) -> Parsed<i64> {
    let element = reader.any()?;
    let seconds = match element.tag {
        tag::UTC_TIME => utc_time(element.value),
        tag::GENERALIZED_TIME => generalized_time(element.value),
        _ => return Err(at(element.start, "neither UTCTime nor GeneralizedTime")),
    };
    seconds.ok_or_else(|| bad(&element))
}

fn bad(element: &Element<'_>) -> ParseError {
    ParseError { rule: Rule::TimeEncoding, offset: element.start, what: "time is not in the profiled form" }
}

/// `YYMMDDHHMMSSZ`; years 50 to 99 are 1950 to 1999 (RFC 5280 section 4.1.2.5.1).
fn utc_time(value: &[u8]) -> Option<i64> {
    let (year, rest) = value.split_first_chunk::<2>()?;
    let year = two_digits(year)?;
    let century = if year >= 50 { 1900 } else { 2000 };
    since_epoch(century + year, rest)
}

/// `YYYYMMDDHHMMSSZ`, only for 2050 and later (RFC 5280 section 4.1.2.5.2). Earlier dates in this form break the
/// profile, but exist in the field and are unambiguous; `Rule::GeneralizedTimeBefore2050` is the strict policy's.
fn generalized_time(value: &[u8]) -> Option<i64> {
    let (century, rest) = value.split_first_chunk::<2>()?;
    let (year, rest) = rest.split_first_chunk::<2>()?;
    since_epoch(two_digits(century)? * 100 + two_digits(year)?, rest)
}

/// `MMDDHHMMSSZ` of a year.
fn since_epoch(year: i64, rest: &[u8]) -> Option<i64> {
    let [m1, m2, d1, d2, h1, h2, n1, n2, s1, s2, b'Z'] = *rest else {
        return None;
    };
    let month = two_digits(&[m1, m2])?;
    let day = two_digits(&[d1, d2])?;
    let hour = two_digits(&[h1, h2])?;
    let minute = two_digits(&[n1, n2])?;
    let second = two_digits(&[s1, s2])?;
    let valid = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    valid.then(|| days_from_epoch(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
}

fn two_digits(digits: &[u8; 2]) -> Option<i64> {
    let [tens, ones] = digits;
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar: the year is taken to begin in March, so that the leap
/// day is its last; 153 days are five months of the 31-30-31-30-31 pattern.
const fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let leap_days = shifted_year.div_euclid(4) - shifted_year.div_euclid(100) + shifted_year.div_euclid(400);
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    shifted_year * 365 + leap_days + day_of_year - 719_468
}

/// A date for people, `2026-11-30 12:00:00 UTC`, from seconds since 1970.
pub(crate) fn display(seconds: i64) -> String {
    let days = seconds.div_euclid(DAY);
    let rest = seconds.rem_euclid(DAY);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Year, month, day of a day number: the inverse of [`days_from_epoch`].
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_time_spans_1950_to_2049() {
        assert_eq!(utc_time(b"700101000000Z"), Some(0));
        assert_eq!(utc_time(b"500101000000Z"), Some(-631_152_000));
        assert_eq!(utc_time(b"491231235959Z"), Some(2_524_607_999));
        assert_eq!(utc_time(b"000229120000Z"), Some(951_825_600));
    }

    #[test]
    fn generalized_time_reaches_9999() {
        assert_eq!(generalized_time(b"20500101000000Z"), Some(2_524_608_000));
        assert_eq!(generalized_time(b"99991231235959Z"), Some(253_402_300_799));
        assert_eq!(generalized_time(b"00010101000000Z"), Some(-62_135_596_800));
    }

    #[test]
    fn forms_outside_the_profile_are_refused() {
        for value in [
            &b"7001010000Z"[..],
            b"700101000000",
            b"700101000000+0000",
            b"700001000000Z",
            b"701301000000Z",
            b"700100000000Z",
            b"700132000000Z",
            b"010229000000Z",
            b"700101240000Z",
            b"700101006000Z",
            b"700101000060Z",
            b"7001010000-1Z",
            b"",
        ] {
            assert_eq!(utc_time(value), None, "{}", String::from_utf8_lossy(value));
        }
        for value in [&b"20500101000000.5Z"[..], b"205001010000Z", b"21000229000000Z", b"20500101000000"] {
            assert_eq!(generalized_time(value), None, "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn display_is_the_inverse_of_reading() {
        for (text, form) in [
            (&b"19700101000000Z"[..], "1970-01-01 00:00:00 UTC"),
            (b"19500228235959Z", "1950-02-28 23:59:59 UTC"),
            (b"20000229010203Z", "2000-02-29 01:02:03 UTC"),
            (b"99991231235959Z", "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(display(generalized_time(text).unwrap()), form);
        }
        let mut day = -10_000;
        while day < 100_000 {
            let (y, m, d) = civil(day);
            assert_eq!(days_from_epoch(y, m, d), day);
            day += 1;
        }
    }
}
