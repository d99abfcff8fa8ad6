//! The smallest change that would let somebody in.

use super::{Account, Host, Lacks, Nearly, Person, Standing};

/// Says what the smallest change is that would let a person in: what bars them altogether first, then what lacks least.
pub(super) fn change(person: &Person, host: &Host, nearly: &[Nearly<'_>]) -> String {
    if person.standing == Standing::Suspended {
        return match &person.directory {
            Some(directory) => format!(
                "Reactivate {} at the source of {}.",
                person.name, directory.name
            ),
            None => format!("Reactivate {}.", person.name),
        };
    }
    if let Some(directory) = person
        .directory
        .as_ref()
        .filter(|directory| !directory.is_active)
    {
        return format!(
            "Make {} the active SSH directory, or use an account of the active one.",
            directory.name
        );
    }
    let least = nearly.iter().min_by_key(|nearly| nearly.lacks);
    let granted = match least {
        None => Some(format!(
            "Grant a group of {} access to {}.",
            person.name, host.name
        )),
        Some(nearly) => lacking(person, host, nearly),
    };
    match (&person.account, granted) {
        (Account::None(reason), _)
            if person
                .remote_identities
                .iter()
                .all(|remote| !remote.hosts.contains(host)) =>
        {
            format!("Give {} an account name first: {reason}.", person.name)
        }
        (_, Some(granted)) => granted,
        (_, None) => String::new(),
    }
}

fn lacking(person: &Person, host: &Host, nearly: &Nearly<'_>) -> Option<String> {
    let grant = nearly.grant;
    match nearly.lacks {
        Lacks::Beginning => grant
            .from
            .map(|from| format!("Wait until {from:.0}, when a grant begins.")),
        Lacks::End => grant
            .until
            .map(|until| format!("Grant it anew: the grant has ended at {until:.0}.")),
        Lacks::Tags => {
            let unmet = grant.hosts.unmet(host).join(" and ");
            Some(format!(
                "Tag {} so that {unmet}, or widen the grant.",
                host.name
            ))
        }
        Lacks::Group => Some(format!(
            "Put {} into a group that has a grant on {}.",
            person.name, grant.hosts
        )),
    }
}
