//! Opening hours as they are written in a form: one line for each part, such as `Mon-Fri 08:30-17:00`.

use crate::console::trouble::Trouble;
use portreeve_directory::visit_locations::{Day, Open};

/// The days in their order, with what people call them.
const DAYS: &[(Day, &str)] = &[
    (Day::Mon, "Mon"),
    (Day::Tue, "Tue"),
    (Day::Wed, "Wed"),
    (Day::Thu, "Thu"),
    (Day::Fri, "Fri"),
    (Day::Sat, "Sat"),
    (Day::Sun, "Sun"),
];

/// The parts, a line each. Days that follow each other stand as a range.
pub(super) fn written(hours: &[Open]) -> String {
    let line = |open: &Open| format!("{} {}-{}", days(&open.days), open.from, open.until);
    hours.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn days(days: &[Day]) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut at = 0;
    while at < DAYS.len() {
        let run = DAYS[at..].iter().take_while(|(day, _)| days.contains(day));
        let names: Vec<&str> = run.map(|(_, name)| *name).collect();
        match names.as_slice() {
            [] => {}
            [first, .., last] if names.len() > 2 => pieces.push(format!("{first}-{last}")),
            few => pieces.extend(few.iter().map(|name| (*name).to_owned())),
        }
        at += names.len().max(1);
    }
    pieces.join(", ")
}

/// What is written, or which line cannot be read. Whether times are times is for the location to say.
pub(super) fn read(text: &str) -> Result<Vec<Open>, Trouble> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = lines.map(|line| {
        part(line).ok_or_else(|| {
            let example = "Mon-Fri 08:30-17:00 or Sat, Sun 10:00-12:00";
            Trouble::Invalid(format!(
                "“{line}” is no opening time; write it as {example}"
            ))
        })
    });
    read.collect()
}

fn part(line: &str) -> Option<Open> {
    let line = line.replace(['–', '—'], "-");
    // Between days and times stands a blank; there may be others around commas and dashes.
    let start = line.find(|letter: char| letter.is_ascii_digit())?;
    let (days, times) = line.split_at(start);
    let (from, until) = times.split_once('-')?;
    let mut all: Vec<Day> = Vec::new();
    for piece in days.split(',') {
        let (first, last) = match piece.split_once('-') {
            Some((first, last)) => (place(first)?, place(last)?),
            None => (place(piece)?, place(piece)?),
        };
        // A range may go over the end of the week.
        let count = (last + DAYS.len() - first) % DAYS.len() + 1;
        let range = DAYS.iter().cycle().skip(first).take(count);
        for (day, _) in range {
            if !all.contains(day) {
                all.push(*day);
            }
        }
    }
    all.sort_by_key(|day| DAYS.iter().position(|(one, _)| one == day));
    Some(Open {
        days: all,
        from: from.trim().to_owned(),
        until: until.trim().to_owned(),
    })
}

/// Which day of the week a word means, in short or in full.
fn place(word: &str) -> Option<usize> {
    const FULL: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let word = word.trim().trim_end_matches('.').to_lowercase();
    FULL.iter()
        .position(|full| word.len() >= 3 && full.starts_with(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same_way() {
        for (name, text, expected) in [
            ("a range", "Mon-Fri 08:30-17:00", "Mon-Fri 08:30-17:00"),
            (
                "in full",
                "monday – friday 08:30 – 17:00",
                "Mon-Fri 08:30-17:00",
            ),
            ("some days", "sat,  Sun 10:00-12:00", "Sat, Sun 10:00-12:00"),
            (
                "over the weekend",
                "Sat-Mon 10:00-12:00",
                "Mon, Sat, Sun 10:00-12:00",
            ),
            (
                "a day and a range",
                "mon, wed-fri 9:00-12:00",
                "Mon, Wed-Fri 9:00-12:00",
            ),
            ("every day", "Mon-Sun 00:00-24:00", "Mon-Sun 00:00-24:00"),
            (
                "two parts",
                "Mon 08:00-12:00\n\nMon 13:00-17:00\n",
                "Mon 08:00-12:00\nMon 13:00-17:00",
            ),
            ("none", " \n", ""),
        ] {
            let read = read(text).unwrap_or_else(|trouble| panic!("{name}: {trouble:?}"));
            assert_eq!(written(&read), expected, "{name}");
        }
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        for text in [
            "always",
            "08:00-17:00",
            "Mon 08:00",
            "Mo 08:00-17:00",
            "Mon-Xyz 08:00-17:00",
        ] {
            match read(text) {
                Err(Trouble::Invalid(said)) => assert!(said.contains(text), "{text}: {said}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
