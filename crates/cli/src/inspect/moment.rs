//! Points in time on the command line and in print, UTC throughout.

use std::time::Duration;

use oxtls::pki_types::UnixTime;

use crate::exit::Failure;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// `2026-11-22`, `2026-11-22T13:00:00Z` (or with a space, or without the Z), or `@SECONDS`.
pub(super) fn parse(text: &str) -> Result<UnixTime, Failure> {
    let seconds = text.strip_prefix('@').map_or_else(|| civil(text), |seconds| seconds.parse().ok());
    seconds.map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds))).ok_or_else(|| {
        Failure::usage(format_args!(
            "--at wants a time from 1970 on, such as 2026-11-22, 2026-11-22T13:00:00Z or @1795352400, not {text:?}"
        ))
    })
}

fn civil(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let legal = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=length).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let seconds = days(year, month, day) * DAY + hour * 3_600 + minute * 60 + second;
    u64::try_from(seconds).ok().filter(|_| legal)
}

/// Days since 1970 in the Gregorian calendar, of years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
}

/// Three numbers of digits alone, four at most.
fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let number = |part: &str| {
        let digits = !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse::<i64>().ok() } else { None }
    };
    let numbers: Option<Vec<_>> = text.split(between).map(number).collect();
    numbers?.try_into().ok()
}

/// `2026-11-22 13:00:00 UTC`.
pub(super) fn shown(seconds: i64) -> String {
    let (day, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year_of_era + era * 400 + carry;
    let (hour, minute, second) = (rest / 3_600, rest % 3_600 / 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// How far away a time is: `in 89 days`, `3 hours ago`.
pub(super) fn away(seconds: i64) -> String {
    let (number, unit) = match seconds.unsigned_abs() {
        near @ 0..120 => (near, "second"),
        near @ 120..7_200 => (near / 60, "minute"),
        far @ 7_200..172_800 => (far / 3_600, "hour"),
        far => (far / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    if seconds < 0 { format!("{number} {unit}{plural} ago") } else { format!("in {number} {unit}{plural}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_shown() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2026-11-22 13:00:00", 1_795_352_400),
            ("@1795352400", 1_795_352_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            let read = parse(text).unwrap().as_secs();
            assert_eq!(read, seconds, "{text}");
            let shown = shown(i64::try_from(seconds).unwrap());
            assert_eq!(parse(shown.trim_end_matches(" UTC")).unwrap().as_secs(), seconds, "{shown}");
        }
        assert_eq!(shown(-1), "1969-12-31 23:59:59 UTC");
    }

    #[test]
    fn what_is_no_time_is_a_usage_error() {
        for text in [
            "",
            "@",
            "@-1",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "1969-12-31",
            "2026-11-22T24:00:00Z",
            "2026-1-+1",
        ] {
            assert_eq!(parse(text).expect_err(text).exit, crate::exit::Exit::Usage, "{text}");
        }
    }
}
