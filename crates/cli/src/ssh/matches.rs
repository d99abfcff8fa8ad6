//! `portreeve ssh match`: asked by OpenSSH for every host that somebody connects to, so it looks at files only. The server
//! is asked where a host is known and there is no certificate; a list that grows old is asked for beside the `ssh`.

use super::agent::Agent;
use super::certify::{self, Ask};
use super::hosts::Hosts;
use super::place::Place;
use super::{key, refresh};
use crate::Global;
use crate::failure::{Code, Failure};
use crate::login::Way;
use crate::time;
use std::io::{IsTerminal, stderr};

/// Succeeds where this host is one to log in to with a certificate.
pub(super) fn run(global: &Global, host: &str) -> Result<(), Failure> {
    let no = || Failure::told(Code::Failure);
    // Whatever is wrong here, other hosts have nothing to do with it.
    let mut place = Place::of(global).map_err(|_| no())?;
    let now = time::now();
    let hosts = Hosts::kept(&place, now);
    let is_fresh = hosts.as_ref().is_some_and(|hosts| hosts.is_fresh(now));
    let is_due = || key::certificate(&place).is_some_and(|it| key::is_due(&it, now));
    if !is_fresh || is_due() {
        refresh::beside(&place, now);
    }
    if hosts.is_none_or(|hosts| hosts.find(host).is_none()) {
        return Err(no());
    }
    // Nobody would see a code that is shown to a program.
    let ask = match stderr().is_terminal() {
        true => Ask::Person(Way::best()),
        false => Ask::Nobody,
    };
    match certify::ready(&mut place, ask) {
        Ok(_) => Ok(()),
        // OpenSSH looks at what the agent has only after `portreeve ssh proxy`, which can open a browser.
        Err(failure) if failure.code == Code::NotSignedIn && can_sign_in_later() => Ok(()),
        Err(failure) => {
            eprintln!("portreeve: there is no certificate for {host}, so this is plain ssh");
            failure.print();
            Err(no())
        }
    }
}

fn can_sign_in_later() -> bool {
    Way::best() == Way::Browser && Agent::of_session().is_some()
}
