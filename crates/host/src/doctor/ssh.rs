//! Whether `sshd` lets in who should get in, and nobody else.

use super::{Facts, Finding, SET_UP, Verdict, fail, ok, text, warn};
use crate::config::PEOPLE;
use crate::facts;
use crate::paths::Paths;
use crate::setup::lines::includes_drop_ins;
use portreeve_ssh_cert::Krl;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const MAIN: &str = "/etc/ssh/sshd_config";
const OURS: &str = "/etc/ssh/sshd_config.d/10-portreeve.conf";

pub(super) fn examine(paths: &Paths, facts: &Facts) -> Vec<Finding> {
    let mut all = vec![included(paths)];
    all.extend(settings(facts));
    all.extend([
        managed(paths, facts),
        allowed(facts),
        krl(paths),
        principals(paths),
        certificate(paths, facts),
    ]);
    all
}

/// The values of a keyword in what `sshd -T` prints.
fn values<'a>(effective: &'a str, keyword: &str) -> Vec<&'a str> {
    let lines = effective.lines().filter_map(|line| line.split_once(' '));
    lines
        .filter(|(word, _)| word.eq_ignore_ascii_case(keyword))
        .map(|(_, value)| value.trim())
        .collect()
}

fn included(paths: &Paths) -> Finding {
    if !paths.at(OURS).is_file() {
        return fail(
            "sshd_drop_in",
            format!("{OURS} is not there: managed people do not get in"),
            SET_UP,
        );
    }
    match text(paths, MAIN).lines().any(includes_drop_ins) {
        true => ok("sshd_drop_in", format!("{MAIN} includes our part")),
        false => fail(
            "sshd_drop_in",
            format!("{MAIN} does not include {OURS}: nothing of it counts"),
            format!(
                "put this line at the beginning of {MAIN}: Include /etc/ssh/sshd_config.d/*.conf"
            ),
        ),
    }
}

/// What has to be in force, whoever has said it first.
fn settings(facts: &Facts) -> Vec<Finding> {
    let effective = match &facts.sshd {
        Ok(effective) => effective,
        Err(why) => {
            let detail = format!("its configuration is not known: {why}");
            return vec![fail(
                "sshd",
                detail,
                "as root: sshd -t, and mend what it says",
            )];
        }
    };
    let live = Paths::new("/");
    let keys = live.user_ca().display().to_string();
    let principals = format!("{}/%u", live.principals().display());
    let krl = live.krl().display().to_string();
    let look = |check, keyword, value: &str, otherwise| {
        let is = values(effective, keyword).first().copied();
        if is.is_some_and(|is| is.eq_ignore_ascii_case(value)) {
            return ok(check, format!("{keyword} is {value}"));
        }
        let detail = format!(
            "{keyword} is {} and not {value}: {otherwise}",
            is.unwrap_or("not set")
        );
        fail(
            check,
            detail,
            format!(
                "the first line counts: take {keyword} out of {MAIN} before its Include, and out of files that come before {OURS}"
            ),
        )
    };
    vec![
        look(
            "sshd_keys",
            "TrustedUserCAKeys",
            &keys,
            "certificates of the team are not taken",
        ),
        look(
            "sshd_principals",
            "AuthorizedPrincipalsFile",
            &principals,
            "not the accounts that people have here count, but the names in their certificates",
        ),
        look("sshd_krl", "RevokedKeys", &krl, "revoked ones are taken"),
        look(
            "sshd_pam",
            "UsePAM",
            "yes",
            "locked accounts are not refused, and homes are not made",
        ),
        look(
            "sshd_certificates",
            "PubkeyAuthentication",
            "yes",
            "nobody gets in with a certificate",
        ),
    ]
}

/// Keys in a home, passwords and answers to questions are no ways in for managed people.
fn managed(paths: &Paths, facts: &Facts) -> Finding {
    let check = "authorized_keys";
    let effective = match &facts.sshd_managed {
        Some(Ok(effective)) => effective.as_str(),
        Some(Err(why)) => {
            return warn(
                check,
                format!("what holds for managed people is not known: {why}"),
                "as root: portreeve-host doctor",
            );
        }
        None => return written(paths),
    };
    let is = |keyword: &str, value: &str| values(effective, keyword).first() == Some(&value);
    if !is("authorizedkeysfile", "none") {
        return fail(
            check,
            "managed people get in with keys in their homes, also when they have left",
            format!(
                "see that {OURS} ends with its block Match Group {PEOPLE}, and that nothing before it sets AuthorizedKeysFile in a Match block for the same people"
            ),
        );
    }
    // Where it is not set, it is not printed.
    if !values(effective, "authorizedkeyscommand")
        .iter()
        .all(|value| *value == "none")
    {
        return fail(
            check,
            "a program gives keys of managed people to sshd (AuthorizedKeysCommand), which no revocation concerns",
            "have it come after 10-portreeve.conf, so that AuthorizedKeysCommand none counts for managed people",
        );
    }
    match is("authenticationmethods", "publickey") {
        true => ok(check, "managed people get in with a certificate alone"),
        false => warn(
            check,
            "managed people may also get in with a password, or with answers to questions (KbdInteractiveAuthentication)",
            format!("see that nothing before {OURS} sets AuthenticationMethods"),
        ),
    }
}

/// The same by what our part says, as long as there is nobody to ask about.
fn written(paths: &Paths) -> Finding {
    let ours = text(paths, OURS);
    let block = ours.split_once(&format!("Match Group {PEOPLE}"));
    match block.is_some_and(|(_, block)| block.contains("AuthorizedKeysFile none")) {
        true => ok(
            "authorized_keys",
            "there is nobody managed yet; our part shuts keys in homes out",
        ),
        false => fail(
            "authorized_keys",
            format!("{OURS} was changed: keys in homes let managed people in"),
            SET_UP,
        ),
    }
}

/// Lists of those who may log in at all.
fn allowed(facts: &Facts) -> Finding {
    let check = "sshd_allow";
    let Ok(effective) = &facts.sshd else {
        return warn(
            check,
            "who may log in at all is not known",
            "as root: portreeve-host doctor",
        );
    };
    let names = |keyword: &str| {
        let lines = values(effective, keyword);
        let names = lines.iter().flat_map(|line| line.split_ascii_whitespace());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let fits = |names: &[String]| names.iter().any(|name| name == PEOPLE || name == "*");
    let (groups, users) = (names("allowgroups"), names("allowusers"));
    if !groups.is_empty() && !fits(&groups) {
        return fail(
            check,
            format!(
                "AllowGroups names {} and not {PEOPLE}: managed people do not get in",
                groups.join(" ")
            ),
            format!("add {PEOPLE} to AllowGroups"),
        );
    }
    if !users.is_empty() && !users.iter().any(|name| name == "*") {
        return fail(
            check,
            format!(
                "AllowUsers names {}: managed people do not get in",
                users.join(" ")
            ),
            format!("use AllowGroups with {PEOPLE} and a group of your local people instead"),
        );
    }
    if fits(&names("denygroups")) {
        let detail = format!("DenyGroups shuts {PEOPLE} out");
        return fail(check, detail, "take it out of DenyGroups");
    }
    ok(check, "no list shuts managed people out")
}

fn krl(paths: &Paths) -> Finding {
    let check = "krl";
    let path = paths.krl();
    let mend = "systemctl restart portreeve-host-apply writes the last one again";
    match fs::read(&path) {
        Err(error) => fail(
            check,
            format!("{}: {error}; sshd refuses everybody", path.display()),
            mend,
        ),
        Ok(bytes) if bytes.is_empty() => fail(
            check,
            format!(
                "{} is empty, which sshd takes for a list that revokes nothing: everybody whose certificate was revoked gets in",
                path.display()
            ),
            mend,
        ),
        Ok(bytes) => match Krl::from_bytes(&bytes) {
            Ok(krl) => ok(
                check,
                format!("the revocation list {} is in force", krl.version),
            ),
            Err(error) => fail(
                check,
                format!("{}: {error}; sshd refuses everybody", path.display()),
                mend,
            ),
        },
    }
}

/// `sshd` passes files over that somebody else than root could have written.
fn principals(paths: &Paths) -> Finding {
    let folder = paths.principals();
    let files = fs::read_dir(&folder).into_iter().flatten().flatten();
    let own = match paths.is_live() {
        true => 0,
        false => rustix::process::geteuid().as_raw(),
    };
    let is_wrong = |path: &Path| {
        fs::metadata(path).is_ok_and(|about| about.mode() & 0o022 != 0 || about.uid() != own)
    };
    let mut wrong = std::iter::once(folder.clone()).chain(files.map(|file| file.path()));
    if !folder.is_dir() {
        return fail(
            "principals",
            format!(
                "{} is not there: managed people do not get in",
                folder.display()
            ),
            "systemctl restart portreeve-host-apply writes it again",
        );
    }
    match wrong.find(|path| is_wrong(path)) {
        Some(path) => fail(
            "principals",
            format!(
                "{} could be written by others than root, and sshd passes it over",
                path.display()
            ),
            format!("chown root: {0}; chmod go-w {0}", path.display()),
        ),
        None => ok("principals", "only root can write who may log in"),
    }
}

fn certificate(paths: &Paths, facts: &Facts) -> Finding {
    let check = "certificate";
    let renew = "portreeve-host status shows whether the server is reached; it renews certificates by itself";
    let Some(certificate) = facts::host_certificate(paths) else {
        return fail(
            check,
            "the host has no certificate: its clients cannot know it",
            SET_UP,
        );
    };
    if let Ok(effective) = &facts.sshd {
        let ours = Paths::new("/").host_certificate().display().to_string();
        if !values(effective, "hostcertificate").contains(&ours.as_str()) {
            let detail = "sshd does not show the host's certificate (HostCertificate)";
            return fail(check, detail, SET_UP);
        }
    }
    let (after, before) = certificate.life;
    let (verdict, word) = left((after, before), facts);
    let detail = format!(
        "the host's certificate {} {word} {before}",
        certificate.serial
    );
    match verdict {
        Verdict::Ok => ok(check, detail),
        Verdict::Warn => warn(check, detail, renew),
        Verdict::Fail => fail(check, detail, renew),
    }
}

/// How it is about something that is good for a time and renewed when a third of that is left.
pub(super) fn left(
    (after, before): (jiff::Timestamp, jiff::Timestamp),
    facts: &Facts,
) -> (Verdict, &'static str) {
    let life = before.duration_since(after);
    if before <= facts.now {
        (Verdict::Fail, "ran out at")
    } else if before.duration_since(facts.now) < life / 5 {
        (Verdict::Warn, "should have been renewed, and is good until")
    } else {
        (Verdict::Ok, "is good until")
    }
}
