//! Opening hours as people write them: `mon-fri 08:00-18:00`.

use crate::failure::Failure;
use crate::output::plain;
use serde_json::{Value, json};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A part of the hours as the API has it.
pub(super) fn parse(text: &str) -> Result<Value, Failure> {
    let wrong = || {
        Failure::usage(format!("--open: \"{text}\" are no opening hours"))
            .hint("write them as \"mon-fri 08:00-18:00\" or \"sat,sun 10:00-14:00\"")
    };
    let (days, times) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let (from, until) = times.trim().split_once('-').ok_or_else(wrong)?;
    let mut open = Vec::new();
    for part in days.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first).ok_or_else(wrong)?, day(last).ok_or_else(wrong)?);
        let count = (last + DAYS.len() - first) % DAYS.len() + 1;
        open.extend((0..count).map(|after| DAYS[(first + after) % DAYS.len()]));
    }
    Ok(json!({"days": open, "from": from.trim(), "until": until.trim()}))
}

/// The same for people.
pub(super) fn text(part: &Value) -> String {
    let days = part["days"].as_array().into_iter().flatten();
    let days: Vec<usize> = days.filter_map(|name| day(&plain(name))).collect();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for day in days {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == day => *last = day,
            _ => runs.push((day, day)),
        }
    }
    let run = |(first, last): &(usize, usize)| match last - first {
        0 => DAYS[*first].to_owned(),
        _ => format!("{}-{}", DAYS[*first], DAYS[*last]),
    };
    let runs: Vec<String> = runs.iter().map(run).collect();
    let times = [plain(&part["from"]), plain(&part["until"])];
    format!("{} {}", runs.join(","), times.join("-"))
}

fn day(name: &str) -> Option<usize> {
    let name = name.trim().to_ascii_lowercase();
    DAYS.iter().position(|day| *day == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_and_said_in_the_same_way() {
        for (written, said) in [
            ("mon-fri 08:00-18:00", "mon-fri 08:00-18:00"),
            ("sat,sun 10:00-14:00", "sat-sun 10:00-14:00"),
            ("Mon,Wed-Fri 08:30 - 24:00", "mon,wed-fri 08:30-24:00"),
            ("sat-mon 22:00-06:00", "sat-sun,mon 22:00-06:00"),
            ("tue 09:00-12:00", "tue 09:00-12:00"),
        ] {
            assert_eq!(text(&parse(written).unwrap()), said, "{written}");
        }
        for wrong in ["", "mon", "mon 08:00", "someday 08:00-10:00", "mon- 8-9"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
