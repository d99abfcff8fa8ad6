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
use ssh_key::Certificate;
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
    let hosts = hosts.filter(|hosts| hosts.find(host).is_some());
    let hosts = hosts.ok_or_else(no)?;
    // Nobody would see a code that is shown to a program.
    let ask = match stderr().is_terminal() {
        true => Ask::Person(Way::best()),
        false => Ask::Nobody,
    };
    let will_do = |certificate: &Certificate| hosts.will_do(host, certificate);
    match certify::ready_for(&mut place, ask, will_do) {
        Ok(_) => Ok(()),
        // While the server is away, one that lacks a name is better than none.
        Err(_) if key::usable(&place, now).is_some() => Ok(()),
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
