//! Answers are those of the file, as somebody reads it who takes all of it into memory.

use std::fmt::Write as _;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;

use nss_portreeve::answer::{Failure, Status};
use nss_portreeve::buffer::Buffer;
use nss_portreeve::lines::Lines;
use nss_portreeve::lookup::{Wanted, group, groups_of, person, shadow};
use proptest::prelude::*;

use crate::as_c::{list, text};

const PEOPLE: &str = "ada:x:65536:65536:Ada Lovelace:/srv/ada:/bin/bash
this is no line of passwd(5)
bob:x:0:0::/root:/bin/bash
bob:x:65537:65537::/srv/bob:/bin/sh
ada:x:65538:65538:a second one:/srv/ada2:/bin/sh
cut:x:65539:65539::/srv/cut:/bin/sh";

fn room(size: usize) -> Vec<MaybeUninit<u8>> {
    vec![MaybeUninit::uninit(); size]
}

#[test]
fn people_are_found() {
    for (name, wanted, expected) in [
        (
            "by name",
            Wanted::Name(b"ada"),
            Ok("ada 65536 Ada Lovelace /srv/ada /bin/bash"),
        ),
        (
            "by number",
            Wanted::Id(65_538),
            Ok("ada 65538 a second one /srv/ada2 /bin/sh"),
        ),
        (
            "behind a line that would be root",
            Wanted::Name(b"bob"),
            Ok("bob 65537  /srv/bob /bin/sh"),
        ),
        (
            "the first",
            Wanted::Any,
            Ok("ada 65536 Ada Lovelace /srv/ada /bin/bash"),
        ),
        (
            "nobody of that name",
            Wanted::Name(b"ad"),
            Err(Failure::Unknown),
        ),
        (
            "nobody of a longer name",
            Wanted::Name(b"adaa"),
            Err(Failure::Unknown),
        ),
        ("no name", Wanted::Name(b""), Err(Failure::Unknown)),
        ("root", Wanted::Id(0), Err(Failure::Unknown)),
        (
            "in a line that is cut off",
            Wanted::Name(b"cut"),
            Err(Failure::Unknown),
        ),
    ] {
        let mut room = room(200);
        let found = person(
            &mut Lines::new(PEOPLE.as_bytes(), 0),
            wanted,
            Buffer::new(&mut room),
        );
        let found = found.map(|it| {
            let texts = [it.pw_gecos, it.pw_dir, it.pw_shell].map(text);
            format!("{} {} {}", text(it.pw_name), it.pw_uid, texts.join(" "))
        });
        assert_eq!(
            found.as_deref().map_err(|failure| *failure),
            expected,
            "{name}"
        );
    }
}

#[test]
fn locks_are_found() {
    let file = b"ada:!*:20000::::::\nbob:!*:20000:::::1:\n";
    let mut room = room(200);
    let found = shadow(
        &mut Lines::new(&file[..], 0),
        Wanted::Name(b"bob"),
        Buffer::new(&mut room),
    );
    let found = found.unwrap();
    assert_eq!(
        (text(found.sp_namp), text(found.sp_pwdp), found.sp_expire),
        ("bob".into(), "!*".into(), 1)
    );
}

/// The statuses of the GNU C Library manual, section 30.4.2.
#[test]
fn failures_are_told_as_the_manual_says() {
    for (failure, expected) in [
        (Failure::Unknown, (Status::NotFound, libc::ENOENT)),
        (Failure::Small, (Status::TryAgain, libc::ERANGE)),
        (
            Failure::from(errno(libc::EMFILE)),
            (Status::TryAgain, libc::EMFILE),
        ),
        (
            Failure::from(errno(libc::ENOENT)),
            (Status::Unavailable, libc::ENOENT),
        ),
        (
            Failure::from(errno(libc::EACCES)),
            (Status::Unavailable, libc::EACCES),
        ),
    ] {
        assert_eq!(failure.told(), expected, "{failure:?}");
    }
}

fn errno(number: i32) -> std::io::Error {
    std::io::Error::from_raw_os_error(number)
}

/// Groups by the numbers of their members, of whom some have so many that their lines are longer than any window.
fn groups() -> impl Strategy<Value = Vec<Vec<u16>>> {
    let few = prop::collection::vec(0..30_u16, 0..6);
    let many = (0..30_u16, 3_000..6_000_u16).prop_map(|(from, to)| (from..to).collect());
    prop::collection::vec(prop_oneof![6 => few, 1 => many], 0..12)
}

fn written(groups: &[Vec<u16>]) -> String {
    let mut file = String::new();
    for (number, members) in groups.iter().enumerate() {
        let members: Vec<_> = members.iter().map(|member| format!("p{member}")).collect();
        writeln!(
            file,
            "g{number}:*:{}:{}",
            70_000 + number,
            members.join(",")
        )
        .unwrap();
    }
    file
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn groups_have_their_members(groups in groups()) {
        let file = written(&groups);
        for (number, members) in groups.iter().enumerate() {
            let mut room = room(200_000);
            let name = format!("g{number}");
            let wanted = Wanted::Name(name.as_bytes());
            let found = group(&mut Lines::new(file.as_bytes(), 0), wanted, Buffer::new(&mut room)).unwrap();
            prop_assert_eq!(found.gr_gid as usize, 70_000 + number);
            let names: Vec<_> = members.iter().map(|member| format!("p{member}")).collect();
            prop_assert_eq!(list(found.gr_mem), &names[..]);
            let texts: usize = names.iter().map(|name| name.len() + 1).sum();
            let needed = name.len() + 1 + 2 + texts + size_of::<*const u8>() * (names.len() + 1);
            let small = group(&mut Lines::new(file.as_bytes(), 0), wanted, Buffer::new(&mut room[..needed - 1]));
            prop_assert_eq!(small.map(|_| ()), Err(Failure::Small));
        }
    }

    #[test]
    fn people_have_their_groups(groups in groups(), who in 0..40_u16, most in 1..20_usize) {
        let file = written(&groups);
        let expected: Vec<_> = (70_000..)
            .zip(&groups)
            .filter(|(_, members)| members.contains(&who))
            .map(|(gid, _)| gid)
            .take(most)
            .collect();
        let mut found = Vec::new();
        let asked = groups_of(&mut Lines::new(file.as_bytes(), 0), format!("p{who}").as_bytes(), |gid| {
            found.push(gid);
            Ok(if found.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        prop_assert_eq!(asked.is_ok(), !expected.is_empty());
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_file_that_is_cut_off_says_nothing_false(groups in groups(), cut in 1..200_usize) {
        let file = written(&groups);
        let file = &file[..file.len().saturating_sub(cut)];
        let whole = file.rfind('\n').map_or("", |end| &file[..=end]);
        for number in 0..groups.len() {
            let mut found = Vec::new();
            for file in [file, whole] {
                let mut room = room(200_000);
                let name = format!("g{number}");
                let asked = group(&mut Lines::new(file.as_bytes(), 0), Wanted::Name(name.as_bytes()), Buffer::new(&mut room));
                found.push(asked.map(|group| group.gr_gid));
            }
            prop_assert_eq!(found[0], found[1], "g{}", number);
        }
    }
}
