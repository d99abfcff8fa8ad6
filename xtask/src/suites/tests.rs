//! The counting: a failure must never be read as a success.

use super::{TAIL_LINES, Tally, agree, closing_line, test_results, why};

fn tally(passed: u64, failed: u64) -> Tally {
    Tally { passed, failed }
}

#[test]
fn results_of_cargo_test_are_added_up() {
    for (name, output, expected) in [
        ("nothing", "", tally(0, 0)),
        (
            "two binaries",
            "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
             test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
            tally(15, 1),
        ),
        (
            "a test that prints such words",
            "note: 7 passed; 9 failed\ntest result: ok. 1 passed; 0 failed;",
            tally(1, 0),
        ),
    ] {
        assert_eq!(test_results(output), expected, "{name}");
    }
}

#[test]
fn the_last_closing_line_counts() {
    for (name, output, expected) in [
        ("none", "Traceback (most recent call last):", tally(0, 0)),
        ("one", "seed 4\n22 passed, 0 failed\n", tally(22, 0)),
        (
            "two",
            "9 passed, 9 failed\n135 passed, 2 failed",
            tally(135, 2),
        ),
    ] {
        assert_eq!(closing_line(output), expected, "{name}");
    }
}

#[test]
fn a_crash_after_a_good_count_is_a_failure() {
    assert_eq!(agree(tally(3, 0), true), tally(3, 0));
    assert_eq!(agree(tally(3, 0), false), tally(3, 1));
    assert_eq!(agree(tally(3, 2), false), tally(3, 2));
}

#[test]
fn a_run_without_a_test_is_not_good() {
    assert!(!tally(0, 0).good());
    assert!(!tally(1, 1).good());
    assert!(tally(1, 0).good());
}

#[test]
fn a_failure_far_from_the_end_is_named_first() {
    let rest = "test other ... ok\n".repeat(2 * TAIL_LINES);
    let log = format!(
        "test visits::told ... FAILED\nthread 'visits::told' (7) panicked at it/visits.rs:3:9:\n\
         said nothing\nstack backtrace:\n{rest}"
    );
    let told = why(&log);
    let told: Vec<&str> = told.lines().map(str::trim_start).collect();
    assert_eq!(
        told[..4],
        [
            "| test visits::told ... FAILED",
            "| thread 'visits::told' (7) panicked at it/visits.rs:3:9:",
            "| said nothing",
            "| test other ... ok"
        ]
    );
    assert_eq!(told.len(), 3 + TAIL_LINES);
}
