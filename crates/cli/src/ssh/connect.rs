//! `portreeve ssh HOST`: becomes OpenSSH, with the certificate and without `portreeve ssh setup`.

use super::certify::{self, Ask};
use super::hosts::{self, Hosts};
use super::place::{Place, WHOLE_CONFIG};
use crate::failure::Failure;
use crate::login::Way;
use crate::{Global, time};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

pub(super) fn run(global: &Global, words: &[OsString]) -> Result<(), Failure> {
    let mut place = Place::of(global)?;
    let (certificate, _) = certify::ready(&mut place, Ask::Person(Way::best()))?;
    let name = words.first().map(|word| word.to_string_lossy());
    let name = host_of(name.as_deref().unwrap_or_default());
    if !is_known(&place, name) {
        hosts::ask(&place)?;
        if !is_known(&place, name) {
            eprintln!(
                "portreeve: {name} is none of the hosts that you may log in to, so this is plain ssh; portreeve ssh hosts lists those"
            );
        }
    }
    certify::write_files(&place, &certificate)?;
    let error = Command::new("ssh")
        .arg("-F")
        .arg(place.path(WHOLE_CONFIG))
        .args(words)
        .exec();
    Err(super::no_ssh(&error))
}

fn is_known(place: &Place, name: &str) -> bool {
    Hosts::kept(place, time::now()).is_some_and(|hosts| hosts.find(name).is_some())
}

/// The host in what `ssh` takes for one: `host`, `user@host`, `ssh://user@host:port`.
fn host_of(destination: &str) -> &str {
    let (rest, is_url) = match destination.strip_prefix("ssh://") {
        Some(rest) => (rest, true),
        None => (destination, false),
    };
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    match is_url {
        false => host,
        true => {
            let host = host.trim_end_matches('/');
            match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                Some((address, _)) => address,
                None => host.split_once(':').map_or(host, |(host, _)| host),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn the_host_is_found_in_what_ssh_takes() {
        for (destination, expected) in [
            ("web-1", "web-1"),
            ("root@web-1", "web-1"),
            ("ada@contoso.example@web-1", "web-1"),
            ("2001:db8::7", "2001:db8::7"),
            ("ssh://web-1", "web-1"),
            ("ssh://ada@web-1:2222/", "web-1"),
            ("ssh://[2001:db8::7]:22", "2001:db8::7"),
        ] {
            assert_eq!(host_of(destination), expected, "{destination}");
        }
    }
}
