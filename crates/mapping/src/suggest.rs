//! "Did you mean": the known name that is closest to a wrong one.

/// The closest of the names, if any is close enough to be what was meant: another letter case always is, else at
/// most a third of the letters may be wrong.
pub fn closest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = wrong.to_lowercase();
    // Names of this length are no slips of the pen, and comparing them costs time.
    if lower.len() > 64 {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for name in names {
        let far = distance(&lower, &name.to_lowercase());
        let allowed = (lower.chars().count().max(3)) / 3;
        if far <= allowed && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, name));
        }
    }
    best.map(|(_, name)| name)
}

/// How many letters must be inserted, deleted, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().take(96).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let change = last[j] + usize::from(from != to);
            let mut least = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn finds_what_was_meant() {
        let names = ["ToLower", "ToUpper", "Append", "IIF", "Join"];
        for (name, wrong, expected) in [
            ("letter case", "toLower", Some("ToLower")),
            ("swapped letters", "Appned", Some("Append")),
            ("missing letter", "Appnd", Some("Append")),
            ("short name", "IF", Some("IIF")),
            ("letter case of a short name", "iif", Some("IIF")),
            ("another name altogether", "Trim", None),
            ("nothing", "", None),
            ("very long", &"ToLower".repeat(20), None),
        ] {
            assert_eq!(closest(wrong, names), expected, "{name}");
        }
    }
}
