//! What parts make of what they are given.

use portreeve_console::Address;
use portreeve_console::parts::{
    Bar, Chart, Column, Count, Field, Filter, Pager, Sentence, Series, Time, Tone,
};
use proptest::prelude::*;

#[test]
fn addresses_stay_on_this_server() {
    let users = || Address::new("/console/users");
    let cases = [
        (users(), "/console/users"),
        (users().join("a b"), "/console/users/a%20b"),
        (
            users().join("//evil.example"),
            "/console/users/%2F%2Fevil.example",
        ),
        (users().join("?q=1#x"), "/console/users/%3Fq%3D1%23x"),
        (
            users().with("q", "ä&b=c"),
            "/console/users?q=%C3%A4%26b%3Dc",
        ),
        (users().with("q", "a").with("q", "b"), "/console/users?q=b"),
        (users().with("q", "a").with("q", ""), "/console/users"),
        (
            users().with("q", "a").with("sort", "-name").without("q"),
            "/console/users?sort=-name",
        ),
        (
            users().with("q", "a").at("user-1"),
            "/console/users?q=a#user-1",
        ),
    ];
    for (address, wanted) in cases {
        assert_eq!(address.to_string(), wanted);
    }
}

#[test]
fn numbers_have_commas() {
    for (number, wanted) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1,000"),
        (12_480, "12,480"),
        (1_000_000, "1,000,000"),
    ] {
        assert_eq!(Count(number).to_string(), wanted);
    }
}

#[test]
fn times_are_exact_for_machines_and_readable_for_people() {
    let time = Time(jiff::Timestamp::constant(1_795_323_180, 999_999_999));
    let wanted = r#"<time datetime="2026-11-22T04:53:00Z" title="2026-11-22 04:53:00 UTC">22 Nov 2026, 04:53 UTC</time>"#;
    assert_eq!(time.to_string(), wanted);
}

#[test]
fn moments_in_sentences_are_readable_for_people() {
    let moment = r#"<time data-exact datetime="2026-11-22T04:53:00Z" title="2026-11-22 04:53:00 UTC">22 Nov 2026, 04:53 UTC</time>"#;
    for (text, wanted) in [
        ("It ends.", "It ends.".to_owned()),
        (
            "Wait until 2026-11-22T04:53:00Z, then go.",
            format!("Wait until {moment}, then go."),
        ),
        ("2026-11-22T04:53:00Z", moment.to_owned()),
        (
            "Zoë has <b>; Z 2026Z",
            "Zoë has &#60;b&#62;; Z 2026Z".to_owned(),
        ),
    ] {
        assert_eq!(Sentence(text.to_owned()).to_string(), wanted, "{text}");
    }
}

#[test]
fn a_column_orders_the_other_way_the_second_time() {
    let page = Address::new("/console/users")
        .with("q", "a")
        .with("cursor", "x");
    let cases = [
        (
            "",
            r#"<th scope="col"><a class="sort" href="/console/users?q=a&#38;sort=name">"#,
        ),
        (
            "name",
            r#"<th scope="col" aria-sort="ascending"><a class="sort" href="/console/users?q=a&#38;sort=-name">"#,
        ),
        (
            "-name",
            r#"<th scope="col" aria-sort="descending"><a class="sort" href="/console/users?q=a&#38;sort=name">"#,
        ),
        (
            "-changed",
            r#"<th scope="col"><a class="sort" href="/console/users?q=a&#38;sort=name">"#,
        ),
    ];
    for (sort, wanted) in cases {
        let column = Column::new("Name").sorted(&page.clone().with("sort", sort), "name");
        let html = column.to_string();
        assert!(html.starts_with(wanted), "{sort}: {html}");
    }
}

#[test]
fn a_filter_is_taken_away_where_it_was_set() {
    let page = Address::new("/console/users")
        .with("q", "a")
        .with("status", "active")
        .with("cursor", "x");
    let values = ["active", "suspended"].map(|value| (value.to_owned(), value.to_owned()));
    let filter = Filter::new("Status", &page, "status", values);
    let found = filter
        .choices
        .iter()
        .map(|choice| (choice.href.to_string(), choice.chosen));
    let wanted = [
        ("/console/users?q=a".to_owned(), true),
        ("/console/users?q=a&status=suspended".to_owned(), false),
    ];
    assert_eq!(found.collect::<Vec<_>>(), wanted);
}

#[test]
fn a_pager_says_how_many() {
    let cases = [
        (None, 0, "0 users"),
        (None, 1, "1 user"),
        (Some(1), 1, "1 user"),
        (Some(50), 50, "50 users"),
        (Some(12_480), 50, "50 of 12,480 users"),
    ];
    for (total, shown, wanted) in cases {
        let pager = Pager {
            total,
            shown,
            noun: ("user", "users"),
            ..Pager::default()
        };
        let html = pager.to_string();
        assert!(html.contains(&format!(">{wanted}<")), "{html}");
    }
}

#[test]
fn a_field_refers_to_its_help_and_its_error() {
    let field = || Field::line("token", "name", "Name", "");
    let cases = [
        (field(), None),
        (field().help("h"), Some("token-name-help")),
        (field().error("e"), Some("token-name-error")),
        (
            field().help("h").error("e"),
            Some("token-name-help token-name-error"),
        ),
    ];
    for (field, wanted) in cases {
        let html = field.to_string();
        let described = html.split("aria-describedby=\"").nth(1);
        assert_eq!(described.and_then(|rest| rest.split('"').next()), wanted);
    }
}

proptest! {
    /// Whatever is counted, no bar is drawn outside of the drawing, and whatever is not nothing is seen.
    #[test]
    fn bars_fit(counts in prop::collection::vec(prop::collection::vec(prop_oneof![0..3_u64, 0..u64::MAX / 1_000], 3), 1..40)) {
        let seen = counts.iter().flatten().filter(|count| **count > 0).count();
        let series = |label, tone| Series { label, tone };
        let bar = |values| Bar { label: "a day".to_owned(), values };
        let chart = Chart {
            id: "chart",
            title: "Chart".to_owned(),
            period: "Some days",
            series: vec![series("one", Tone::Good), series("two", Tone::Warn), series("three", Tone::Bad)],
            bars: counts.into_iter().map(bar).collect(),
        };
        let html = chart.to_string();
        let number = |text: &str, name: &str| -> u64 {
            let rest = text.split(&format!(" {name}=\"")).nth(1).expect(name);
            rest.split('"').next().expect(name).parse().expect(name)
        };
        let drawn: Vec<&str> = html.split("<rect ").skip(1).filter(|rect| !rect.starts_with("class=\"hit\"")).collect();
        for rect in &drawn {
            let (y, height) = (number(rect, "y"), number(rect, "height"));
            prop_assert!(y + height <= 120, "{rect}");
            prop_assert!(height > 0, "{rect}");
        }
        prop_assert_eq!(drawn.len(), seen);
    }
}
