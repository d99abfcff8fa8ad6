#![no_main]
//! Expressions over the tags of hosts: what is read can be printed and read again as the same, and whether it is asked
//! host by host or of the whole estate makes no difference. The first line is the expression, each line after it a host
//! with its tags.

use libfuzzer_sys::fuzz_target;
use portreeve_access::expression::MAX_BYTES;
use portreeve_access::{Estate, Expression, Host, Tags};

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let Ok(expression) = lines.next().unwrap_or_default().parse::<Expression>() else {
        return;
    };
    let printed = expression.to_string();
    if printed.len() > MAX_BYTES {
        return;
    }
    let again: Expression = printed.parse().expect("what is printed can be read");
    assert_eq!(again.to_string(), printed);
    let host = |(number, line): (usize, &str)| Host {
        id: number.to_string(),
        name: format!("host-{number}"),
        tags: Tags::parse(line.split_whitespace()).unwrap_or_default(),
    };
    let estate = Estate::new(lines.take(100).enumerate().map(host).collect());
    let mut chosen = estate.chosen(&expression).map(|host| host.name.as_str());
    for host in estate.hosts() {
        let is_chosen = expression.contains(host);
        assert_eq!(is_chosen, again.contains(host), "{printed}");
        assert_eq!(is_chosen, expression.unmet(host).is_empty(), "{printed}");
        if is_chosen {
            assert_eq!(chosen.next(), Some(host.name.as_str()), "{printed}");
        }
    }
    assert_eq!(chosen.next(), None, "{printed}");
});
