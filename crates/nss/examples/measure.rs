//! Measures how long the C library takes to say who somebody is, by our module and by `nss-systemd`, as root on a machine
//! in namespaces: `cargo run --release -p portreeve-nss --example measure`
//!
//! Everybody is in two groups beside their own. What is asked is the last of them, which is the worst case of the module.
//! Each question opens its file anew, as in a program that has just started; the files are in the page cache.
#![expect(clippy::print_stdout, reason = "the output is what the program is for")]
#![expect(unsafe_code, reason = "asks the C library")]

use std::env;
use std::error::Error;
use std::ffi::{CStr, CString};
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use portreeve_machine::Machine;

const FIRST_ID: u32 = 100_000;
const ROUNDS: u32 = 200;

/// Where this program is on the machine.
const SELF: &str = "/usr/local/bin/measure";

fn main() -> ExitCode {
    let done = match env::args().nth(1) {
        None => outside(),
        Some(people) => inside(&people),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes a machine for each number of people and each way, and has this program ask there.
fn outside() -> Result<(), Box<dyn Error>> {
    println!("| people | served by | getpwnam µs | getpwuid µs | getgrouplist µs | getgrnam µs |");
    println!("|---:|---|---:|---:|---:|---:|");
    for people in [200, 2_000, 20_000] {
        for (way, put) in [
            ("portreeve", snapshot as fn(&Machine, u32) -> _),
            ("systemd", records),
        ] {
            let machine = Machine::start("measured")?;
            let this = env::current_exe()?;
            machine.install(&this, SELF)?;
            let module = this.with_file_name("../deps/libnss_portreeve.so");
            let folder = machine.run("dirname /usr/lib/*/libnss_systemd.so.2")?;
            machine.install(
                &module,
                &format!("{}/libnss_portreeve.so.2", folder.trim_end()),
            )?;
            machine.run(&format!(
                "sed -i -E '/^(passwd|group|shadow):/s/systemd/{way}/' /etc/nsswitch.conf"
            ))?;
            put(&machine, people)?;
            println!(
                "| {people} | {way} | {} |",
                machine.run(&format!("{SELF} {people}"))?.trim_end()
            );
        }
    }
    Ok(())
}

fn name(number: u32) -> String {
    format!("person-{number:05}")
}

/// The files of our module.
fn snapshot(machine: &Machine, people: u32) -> Result<(), Box<dyn Error>> {
    let (mut passwd, mut group) = (String::new(), String::new());
    for team in ["portreeve", "web-ops"] {
        let gid = FIRST_ID - 2 + u32::from(team != "portreeve");
        let members: Vec<_> = (0..people).map(name).collect();
        writeln!(group, "{team}:*:{gid}:{}", members.join(","))?;
    }
    for number in 0..people {
        let (name, id) = (name(number), FIRST_ID + number);
        writeln!(
            passwd,
            "{name}:x:{id}:{id}:A Person of Some Length:/srv/{name}:/bin/bash"
        )?;
        writeln!(group, "{name}:*:{id}:")?;
    }
    machine.write("/run/portreeve-host/nss/passwd", 0o644, passwd)?;
    machine.write("/run/portreeve-host/nss/group", 0o644, group)?;
    Ok(())
}

/// The records of `nss-systemd`, written by a script because they are many files.
fn records(machine: &Machine, people: u32) -> Result<(), Box<dyn Error>> {
    machine.write("/tmp/records.py", 0o644, include_str!("records.py"))?;
    machine.run(&format!("python3 /tmp/records.py {FIRST_ID} {people}"))?;
    Ok(())
}

/// Asks about the last of so many people, and prints the median of each question in microseconds.
fn inside(people: &str) -> Result<(), Box<dyn Error>> {
    let last = people.parse::<u32>()? - 1;
    let (person, group) = (CString::new(name(last))?, CString::new("web-ops")?);
    let figures = [
        median(|| by_name(&person))?,
        median(|| by_number(FIRST_ID + last))?,
        median(|| groups_of(&person, FIRST_ID + last))?,
        median(|| members_of(&group))?,
    ];
    println!("{}", figures.map(|figure| figure.to_string()).join(" | "));
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "it measures real time, and decides nothing by it"
)]
fn median(mut question: impl FnMut() -> bool) -> Result<u128, Box<dyn Error>> {
    let mut figures = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let answered = question();
        figures.push(begun.elapsed().as_micros());
        if !answered {
            return Err("somebody who is there was not found".into());
        }
    }
    figures.sort_unstable();
    Ok(figures.get(figures.len() / 2).copied().unwrap_or_default())
}

fn by_name(name: &CStr) -> bool {
    // SAFETY: the name ends with a 0, and there is one thread.
    !unsafe { libc::getpwnam(name.as_ptr()) }.is_null()
}

fn by_number(uid: u32) -> bool {
    // SAFETY: there is one thread.
    !unsafe { libc::getpwuid(uid) }.is_null()
}

fn members_of(name: &CStr) -> bool {
    // SAFETY: the name ends with a 0, and there is one thread.
    !unsafe { libc::getgrnam(name.as_ptr()) }.is_null()
}

fn groups_of(name: &CStr, gid: u32) -> bool {
    let mut groups = [0; 64];
    let mut room = 64;
    // SAFETY: the name ends with a 0, and there is room for as many groups as is said.
    let count =
        unsafe { libc::getgrouplist(name.as_ptr(), gid, groups.as_mut_ptr(), &raw mut room) };
    count == 3
}
