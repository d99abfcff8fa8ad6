//! From when until when a certificate is valid, and whom it may name.

use jiff::{SignedDuration, Timestamp};
use portreeve_ssh_cert::policy::{Asked, Kind, Refusal, Unsigned};
use portreeve_ssh_cert::{Policy, SubjectKey};
use proptest::prelude::*;

use super::openssh::{NOW, named};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE7x1OavLoXFs4wOdDXzfTTHiXTfAGRFOpvFSRvCuyTa";

fn at(minutes: i64) -> Timestamp {
    NOW + SignedDuration::from_mins(minutes)
}

fn decide(kind: Kind, asked: Asked) -> Result<Unsigned, Refusal> {
    let key = SubjectKey::from_openssh(KEY).unwrap();
    Policy::default().decide(kind, key, named("ada", &["ada"]), &asked, NOW)
}

fn asked(after: Option<i64>, before: Option<i64>, latest: Option<i64>) -> Asked {
    Asked {
        valid_after: after.map(at),
        valid_before: before.map(at),
        no_later_than: latest.map(at),
    }
}

#[test]
fn times_follow_from_the_policy_where_nobody_asks() {
    let hours = 60;
    let cases = [
        (
            "a person",
            Kind::User,
            asked(None, None, None),
            (-1, 16 * hours),
        ),
        (
            "a host",
            Kind::Host,
            asked(None, None, None),
            (-1, 30 * 24 * hours),
        ),
        (
            "from a minute ago, as step asks",
            Kind::User,
            asked(Some(-1), None, None),
            (-1, 16 * hours - 1),
        ),
        (
            "for an hour",
            Kind::User,
            asked(None, Some(hours), None),
            (-1, hours),
        ),
        (
            "for a day",
            Kind::User,
            asked(Some(0), Some(24 * hours), None),
            (0, 24 * hours),
        ),
        (
            "tomorrow",
            Kind::User,
            asked(Some(24 * hours), Some(25 * hours), None),
            (24 * hours, 25 * hours),
        ),
        (
            "no longer than the access",
            Kind::User,
            asked(None, None, Some(30)),
            (-1, 30),
        ),
        (
            "access that ends in a minute",
            Kind::User,
            asked(None, None, Some(1)),
            (-1, 1),
        ),
    ];
    for (name, kind, asked, (from, until)) in cases {
        assert_eq!(
            decide(kind, asked).map(|unsigned| unsigned.valid()),
            Ok((at(from), at(until))),
            "{name}"
        );
    }
}

#[test]
fn other_times_are_refused() {
    let hours = 60;
    let (day, five) = (SignedDuration::from_hours(24), SignedDuration::from_mins(5));
    let cases = [
        (
            "two days",
            asked(None, Some(48 * hours), None),
            Refusal::TooLong(day),
        ),
        (
            "four minutes",
            asked(None, Some(4), None),
            Refusal::TooShort(five),
        ),
        (
            "backwards",
            asked(Some(10), Some(5), None),
            Refusal::Backwards,
        ),
        (
            "over",
            asked(Some(-20), Some(-10), None),
            Refusal::Backwards,
        ),
        (
            "in a week",
            asked(Some(7 * 24 * hours), None, None),
            Refusal::TooEarly(day),
        ),
        (
            "access that is over",
            asked(None, None, Some(0)),
            Refusal::Backwards,
        ),
        (
            "access that ends before it begins",
            asked(Some(10), Some(30), Some(5)),
            Refusal::Backwards,
        ),
    ];
    for (name, asked, refusal) in cases {
        assert_eq!(
            decide(Kind::User, asked).map(|unsigned| unsigned.valid()),
            Err(refusal),
            "{name}"
        );
    }
}

#[test]
fn names_that_would_be_taken_for_others_are_refused() {
    let key = SubjectKey::from_openssh(KEY).unwrap();
    let decide = |id: &str, principals: &[&str]| {
        Policy::default()
            .decide(
                Kind::User,
                key.clone(),
                named(id, principals),
                &Asked::default(),
                NOW,
            )
            .map(|_| ())
    };
    assert_eq!(decide("ada", &[]), Err(Refusal::NoPrincipals));
    assert_eq!(
        decide("ada", &["x"; 257]),
        Err(Refusal::TooManyPrincipals(257))
    );
    for name in ["", "a,b", "a b", "a\nb", "a\0"] {
        assert_eq!(
            decide("ada", &["ada", name]),
            Err(Refusal::Principal(name.to_owned())),
            "{name:?}"
        );
    }
    for id in ["", "a\nb", &"x".repeat(1_025)] {
        assert_eq!(
            decide(id, &["ada"]),
            Err(Refusal::KeyId(id.to_owned())),
            "{id:?}"
        );
    }
    assert_eq!(decide("Zo\u{eb} <zoe@contoso.example>", &["zoe"]), Ok(()));
}

proptest! {
    #[test]
    fn no_certificate_outlives_the_policy_or_the_access(
        after in prop::option::of(-3_000_i64..3_000),
        before in prop::option::of(-3_000_i64..6_000),
        latest in prop::option::of(-100_i64..6_000),
    ) {
        if let Ok(unsigned) = decide(Kind::User, asked(after, before, latest)) {
            let (from, until) = unsigned.valid();
            let policy = Policy::default();
            prop_assert!(from < until && until > NOW);
            prop_assert!(until.duration_since(from) <= policy.user.longest + policy.backdate + policy.backdate);
            prop_assert!(latest.is_none_or(|latest| until <= at(latest)));
        }
    }
}
