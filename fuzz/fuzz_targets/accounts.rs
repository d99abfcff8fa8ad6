#![no_main]
//! The files of the name service module: what it finds through its window is what the lines say, and nobody is root.

use std::mem::MaybeUninit;
use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use nss_portreeve::answer::Failure;
use nss_portreeve::buffer::Buffer;
use nss_portreeve::lines::{Lines, WINDOW};
use nss_portreeve::lookup::{self, Wanted};
use nss_portreeve::record::{Group, Person, members};

fuzz_target!(|file: &[u8]| {
    let lines = file.split_inclusive(|byte| *byte == b'\n');
    let lines: Vec<_> = lines
        .filter_map(|line| line.strip_suffix(b"\n"))
        .filter(|line| line.len() < WINDOW)
        .collect();
    let mut room = vec![MaybeUninit::uninit(); 8 * file.len() + 64];

    for person in lines.iter().filter_map(|line| Person::parse(line)) {
        assert!(person.uid != 0 && person.gid != 0);
        for wanted in [Wanted::Name(person.name), Wanted::Id(person.uid)] {
            let found = lookup::person(&mut Lines::new(file, 0), wanted, Buffer::new(&mut room));
            assert_ne!(found.expect("who is there is found").pw_uid, 0);
        }
        let small = Buffer::new(&mut room[..person.name.len()]);
        let found = lookup::person(&mut Lines::new(file, 0), Wanted::Name(person.name), small);
        assert_eq!(found.err(), Some(Failure::Small));
    }
    for group in lines.iter().filter_map(|line| Group::parse(line)) {
        let wanted = Wanted::Name(group.name);
        let found = lookup::group(&mut Lines::new(file, 0), wanted, Buffer::new(&mut room));
        assert_ne!(found.expect("what is there is found").gr_gid, 0);
        for member in members(group.members) {
            let mut numbers = Vec::new();
            let asked = lookup::groups_of(&mut Lines::new(file, 0), member, |gid| {
                numbers.push(gid);
                Ok(ControlFlow::Continue(()))
            });
            assert!(asked.is_ok() && numbers.contains(&group.gid));
        }
    }
});
