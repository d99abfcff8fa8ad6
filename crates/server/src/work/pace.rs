//! When what could not be sent is tried again: mails, and what programs are to be told.

const SECOND_US: i64 = 1_000_000;
/// The pause after the first failure, in seconds; it doubles with each further one.
const FIRST_PAUSE_S: i64 = 60;
/// The longest pause between attempts, in seconds.
const LONGEST_PAUSE_S: i64 = 3600;
/// The longest pause between attempts, in microseconds.
pub(super) const LONGEST_PAUSE_US: i64 = LONGEST_PAUSE_S * SECOND_US;
/// After so many attempts, which is three days, nobody needs it any more.
pub(super) const ATTEMPTS: i64 = 78;

/// Microseconds until the next attempt after so many failures before this one.
pub(super) fn pause(failures: i64) -> i64 {
    let doublings = u32::try_from(failures.clamp(0, 20)).unwrap_or(0);
    let seconds = FIRST_PAUSE_S.saturating_mul(1 << doublings);
    seconds.min(LONGEST_PAUSE_S) * SECOND_US
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer_and_end_after_three_days() {
        let minutes: Vec<i64> = (0..8).map(|it| pause(it) / (60 * SECOND_US)).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60]);
        let hours = (0..ATTEMPTS).map(pause).sum::<i64>() / (3600 * SECOND_US);
        assert_eq!(hours, 73);
    }
}
